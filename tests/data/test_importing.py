"""`import_folder`: what it writes, what it refuses, and that nothing is ever half written."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pytest

import hyperctr as hc
from hyperctr.cli import main
from hyperctr.data import importing
from hyperctr.data.formats import FORMATS, recognise
from hyperctr.data.importing import import_folder
from hyperctr.data.options import TableOptions
from hyperctr.data.table import load_table
from hyperctr.errors import DataError
from hyperctr.progress import Stage
from tests.data.releases import RELEASES, movielens_10m, movielens_csv, thacil
from tests.data.trailers import mmtf_original, mmtf_reissued
from tests.data.writers import write

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


@pytest.mark.parametrize("name", RELEASES)
def test_each_release_is_recognised_imported_and_loaded(name: str, tmp_path: Path) -> None:
    RELEASES[name](tmp_path / "raw")
    assert recognise(tmp_path / "raw").name == name
    done = import_folder(tmp_path / "raw", tmp_path / "out")
    assert done.form == name and done.licence and done.non_clicks
    if not done.modalities:  # as it says
        items = np.unique(parquet.read_table(tmp_path / "out" / "interactions.parquet")["item_id"].to_numpy())
        np.savez(tmp_path / "out" / "features" / "visual.npz", item_id=items, values=np.ones((len(items), 1)))
        done.modalities["visual"] = (len(items), 1)
    data = load_table(tmp_path / "out")
    assert (data.name, data.clock, data.licence) == (done.name, done.clock, FORMATS[name].licence)
    assert (len(data.clicked), data.num_users, data.num_items) == (done.rows, done.users, done.items)
    assert int(data.clicked.sum()) == done.clicks
    assert {name: table.dim for name, table in data.features.items()} == {
        name: dim for name, (_, dim) in done.modalities.items()
    }
    options = TableOptions(name=done.name, clock=done.clock, click="clicked", licence=FORMATS[name].licence)
    assert TableOptions.of_folder(tmp_path / "out") == options
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(("name", "release"), [("movielens-10m", "movielens-10m"), ("kuaishou", "kuaivideo-x1")])
def test_the_papers_sets_load_by_name_and_are_imported_once(name: str, release: str, tmp_path: Path) -> None:
    RELEASES[release](tmp_path / "downloads")
    data = hc.load_dataset(name, data_dir=tmp_path)
    assert data.name == name and data.licence == FORMATS[release].licence
    before = (tmp_path / name / "interactions.parquet").stat().st_mtime_ns
    assert hc.load_dataset(name, data_dir=tmp_path).fingerprint == data.fingerprint
    assert (tmp_path / name / "interactions.parquet").stat().st_mtime_ns == before


def test_a_set_that_is_not_there_says_how_to_get_it_and_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Get ml-10m\.zip .* hyperctr data import FOLDER --data-dir") as caught:
        hc.load_dataset("movielens-10m", data_dir=tmp_path)
    movielens_10m(tmp_path / "elsewhere")
    line = str(caught.value).partition("Then type: hyperctr ")[2].replace("FOLDER", str(tmp_path / "elsewhere"))
    assert main([word.strip("'") for word in line.split()]) == 0
    assert hc.load_dataset("movielens-10m", data_dir=tmp_path).num_users == 3


def test_a_click_rule_takes_the_place_of_the_formats(tmp_path: Path) -> None:
    movielens_10m(tmp_path)
    assert import_folder(tmp_path, tmp_path / "a").clicks == 1  # ratings 4.5 3.5... of which one is at least 4
    done = import_folder(tmp_path, tmp_path / "b", click="rating>2")
    assert (done.clicks, done.click) == (4, "rating>2")
    assert import_folder(tmp_path, tmp_path / "c", click="all").non_clicks == "none: every row is a click"
    for rule, message in {
        "ratng >= 4": "click rule 'ratng >= 4': there is no column 'ratng'; did you mean 'rating'?",
        "rating": "click rule 'rating': column 'rating' holds no 0 and 1; compare it: 'rating >= 1'",
        "rating >= good": "click = 'rating >= good' compares with 'good', which is no number: write",
        "rating == good": "click rule 'rating == good': 'good' is no number, which column 'rating' holds",
    }.items():
        with pytest.raises(DataError, match=re.escape(message)):
            import_folder(tmp_path, tmp_path / "d", click=rule)
    with pytest.raises(DataError, match=r"none of the 5 rows is a click by the rule 'rating > 5'; .*--click"):
        import_folder(tmp_path, tmp_path / "d", click="rating > 5")
    assert not (tmp_path / "d").exists()


def test_bad_rows_are_named_or_skipped_and_counted(tmp_path: Path) -> None:
    thacil(tmp_path)
    path = tmp_path / "mv" / "train_data.csv"
    write(path, path.read_text() + "1,2,5,1,1e3\n1,2\n")
    with pytest.raises(DataError, match=rf"{path}, line 5: timestamp '1e3' is not a whole number"):
        import_folder(tmp_path, tmp_path / "out")
    assert import_folder(tmp_path, tmp_path / "out", on_bad_rows="skip").skipped == 2
    with pytest.raises(DataError, match="on_bad_rows 'ignore' is not known; allowed: 'error', 'skip'"):
        import_folder(tmp_path, tmp_path / "other", on_bad_rows="ignore")


def test_names_are_names(tmp_path: Path) -> None:
    thacil(tmp_path)
    with pytest.raises(DataError, match=r"name '\.\./x' is not usable"):
        import_folder(tmp_path, None, base=tmp_path, name="../x")


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    thacil(tmp_path)
    write(tmp_path / "out" / "mine.txt", "precious")
    with pytest.raises(DataError, match=r"out: is there already; remove it, or write elsewhere with --out FOLDER"):
        import_folder(tmp_path, tmp_path / "out")
    assert (tmp_path / "out" / "mine.txt").read_text() == "precious"


def test_an_import_that_was_interrupted_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    movielens_csv(tmp_path / "raw")
    mmtf_original(tmp_path / "raw")
    aside, whole = tmp_path / ".out.unfinished", import_folder(tmp_path / "raw", tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(importing, "_write_log", _stop)
        with pytest.raises(KeyboardInterrupt):  # before anything is finished
            import_folder(tmp_path / "raw", tmp_path / "out")
    assert not aside.exists()
    write(aside / "interactions.parquet", "half of it")  # left by nobody knows what
    killed = """
import os, signal, sys
from pathlib import Path
from hyperctr.data import importing
write = importing.write_npz
def half(path, ids, dim, blocks):
    if path.name.endswith("acoustic.npz"):
        path.write_bytes(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, ids, dim, blocks)
importing.write_npz = half
importing.import_folder(sys.argv[1], sys.argv[2])
"""
    line = [sys.executable, "-c", killed, str(tmp_path / "raw"), str(tmp_path / "out")]
    assert subprocess.run(line).returncode == -signal.SIGKILL
    left = {path.name for path in aside.rglob("*") if path.is_file()}
    assert left == {".finished.json", "interactions.parquet", "items.csv", "visual.npz", "unfinished-acoustic.npz"}
    assert not (tmp_path / "out").exists()
    written = (aside / "features" / "visual.npz").stat().st_ino
    with monkeypatch.context() as patch:
        patch.setattr(importing, "_write_log", _never)  # the log is not read again
        done = import_folder(tmp_path / "raw", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "raw", "whole"]
    assert done.notes[-1].endswith("interactions.parquet, features/visual.npz were there already")
    assert (tmp_path / "out" / "features" / "visual.npz").stat().st_ino == written
    assert sorted(done.notes[:-1]) == sorted(whole.notes)
    assert (done.rows, done.clicks, done.items, done.modalities) == (
        *(whole.rows, whole.clicks, whole.items, whole.modalities),
    )
    for path in (tmp_path / "whole").rglob("*.*"):
        there = tmp_path / "out" / path.relative_to(tmp_path / "whole")
        assert there.read_bytes() == path.read_bytes() or path.suffix == ".npz"
        if path.suffix == ".npz":
            assert np.array_equal(np.load(there)["values"], np.load(path)["values"], equal_nan=True)


def test_progress_is_counted_in_rows_of_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thacil(tmp_path / "raw")
    seen: list[tuple[float, float]] = []

    class Watched(Stage):
        def step(self, done: float) -> None:
            seen.append((done, self.total))

    monkeypatch.setattr(importing, "begin_stage", lambda name, total, kept: Watched(name, total))
    done = import_folder(tmp_path / "raw", tmp_path / "out")
    assert [rows for rows, _ in seen] == [3, done.rows] and all(rows <= total <= 12 for rows, total in seen)


@pytest.mark.parametrize("change", ["the log", "the click rule", "a part that is cut off"])
def test_what_was_left_of_another_import_is_made_anew(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    movielens_csv(tmp_path / "raw")
    aside, log = tmp_path / ".out.unfinished", tmp_path / "raw" / "ml-25m" / "ratings.csv"
    with monkeypatch.context() as patch:
        patch.setattr(importing, "_write_vectors", _stop)
        with pytest.raises(KeyboardInterrupt):
            import_folder(tmp_path / "raw", tmp_path / "out")
    assert (aside / "interactions.parquet").exists()
    click = ""
    if change == "the log":
        write(log, log.read_text() + "9,7,5.0,978300760\n")
    elif change == "the click rule":
        click = "rating >= 1"
    else:
        with open(aside / "interactions.parquet", "rb+") as file:
            file.truncate(100)
    done = import_folder(tmp_path / "raw", tmp_path / "out", click=click)
    assert not any("went on" in note for note in done.notes)
    assert (done.rows, done.clicks) == {"the log": (6, 2), "the click rule": (5, 4)}.get(change, (5, 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "raw"]


def _stop(*_: object, **__: object) -> Any:
    raise KeyboardInterrupt


def _never(*_: object, **__: object) -> Any:
    raise AssertionError("made again")


def test_vectors_are_written_block_by_block_and_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thacil(tmp_path)
    monkeypatch.setattr(importing, "BLOCK", 8)  # two vectors of four numbers at a time
    import_folder(tmp_path, tmp_path / "out")
    arrays = np.load(tmp_path / "out" / "features" / "visual.npz")
    assert arrays["item_id"].tolist() == [0, 1, 2, 3, 4]
    assert arrays["values"].dtype == np.float32 and arrays["values"][:, 0].tolist() == [0, 1, 2, 10, 11]


def test_vectors_that_are_not_finite_are_kept_and_masked(tmp_path: Path) -> None:
    movielens_10m(tmp_path)
    mmtf_reissued(tmp_path)
    done = import_folder(tmp_path, tmp_path / "out")
    assert done.modalities["visual"] == (1, 3)
    assert any("1 vectors hold NaN or infinity, such as that of item 12" in note for note in done.notes)
    assert TableOptions.of_folder(tmp_path / "out").on_bad == "mask"
    data = load_table(tmp_path / "out")
    assert data.features["visual"].present.tolist() == [True, False, False]


def test_recognising(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such folder"):
        recognise(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no known format fits \(it holds nothing\); known are movielens-100k, "):
        recognise(tmp_path)
    write(tmp_path / "ml-10m.zip", "")
    with pytest.raises(DataError, match=r"unpack ml-10m\.zip first"):
        recognise(tmp_path)
    with pytest.raises(DataError, match="format 'movielens-10' is not known; did you mean 'movielens-10m'"):
        recognise(tmp_path, "movielens-10")
    with pytest.raises(DataError, match=r"does not look like movielens-10m, which has ratings\.dat, movies\.dat\. Get"):
        import_folder(tmp_path, tmp_path / "out", "movielens-10m")
    movielens_10m(tmp_path)
    thacil(tmp_path)
    with pytest.raises(
        DataError, match=r"several data sets; .* is meant: --as movielens-10m or --as micro-video"
    ) as two:
        recognise(tmp_path)
    assert f"give one of the folders {tmp_path / 'ml-10M100K'} (movielens-10m), {tmp_path / 'mv'} (micro" in str(
        two.value
    )
    assert import_folder(tmp_path, tmp_path / "out", "micro-video").name == "mv1.7m"
    movielens_10m(tmp_path / "copy")
    ways = (
        rf"holds several releases of movielens-10m; give one of the folders {tmp_path}/ml-10M100K, {tmp_path}/copy/ml"
    )
    with pytest.raises(DataError, match=ways):
        import_folder(tmp_path, tmp_path / "out2", "movielens-10m")
    with pytest.raises(DataError, match=rf"holds several data sets; give one of the folders {tmp_path}/ml-10M100K "):
        recognise(tmp_path)
    assert recognise(tmp_path / "copy").name == "movielens-10m"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"ratings.dat": "1::7::5::978300760\n"},
            r"nearest is movielens-10m by ratings\.dat, but it lacks movies\.dat\.",
        ),
        (
            {"ratings.csv": "user,stars\n", "movies.csv": "movieId,title,genres\n"},
            "no known format fits|is missing; found user, stars",
        ),
        (
            {"pairs.inter": "a\tb\n"},
            r"nearest is mmrec by .* Or recbole by \*\.inter, but it has no column 'user_id:token' in",
        ),
        (
            {"clicks.tsv": "a\tb\n"},
            r"known are .* Or: a log of your own .* call it interactions\.csv .* data check \S+",
        ),
        ({"interactions.tsv": "a\tb\n"}, r"looks like a `table`, which needs no import: hyperctr data check \S+$"),
    ],
)
def test_a_folder_of_no_known_format_is_told_the_nearest(files: dict[str, str], words: str, tmp_path: Path) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    with pytest.raises(DataError, match=words):
        import_folder(tmp_path, tmp_path / "out")


def test_the_command_prints_what_was_found_and_the_next_line_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    movielens_10m(tmp_path / "raw")
    given = ["--click", "rating >= 3", "--option", "name=mine", "--data-dir", str(tmp_path)]
    assert main(["data", "import", str(tmp_path / "raw"), *given]) == 0
    out = capsys.readouterr().out
    for line in (
        "format      movielens-10m, called mine",
        "rows        5 of 3 users and 3 items",
        "click       rating >= 3: 3 rows",
        "non-clicks  2; rows that are no click by rating >= 3",
        "clock       calendar",
        "textual     2 items, ",
        "licence     MovieLens, (c) GroupLens",
        "note: ratings.dat has fewer users",
    ):
        assert f"\n{line}" in f"\n{out}"
    assert parquet.read_table(tmp_path / "mine" / "interactions.parquet").column_names == [
        *("user_id", "item_id", "timestamp", "clicked")
    ]
    check, train, report = (shlex.split(line) for line in out.splitlines()[-3:])
    assert train == ["hyperctr", "train", *check[3:], "--budget", "quick"]
    assert report == ["hyperctr", "report", *check[3:]]
    assert check[:3] == ["hyperctr", "data", "check"] and main(check[1:]) == 1
    told = capsys.readouterr()
    assert re.search(r"interactions +5\n", told.out) and "1 fault in mine" in told.err, "read, but too few to train on"
    assert "no click for test (3 clicks at 3 instants" in told.out.replace("\n", " ")
    assert main(["data", "import", str(tmp_path / "raw"), "--option", "visuals=x", "--data-dir", str(tmp_path)]) == 2
    assert "has no option 'visuals'; did you mean 'visual'?" in capsys.readouterr().err
    assert main(["data", "import", str(tmp_path / "raw"), "--option", "visual"]) == 2
    assert "option 'visual' must be written key=value" in capsys.readouterr().err


def test_the_recipe_for_a_layout_of_your_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[2] / "docs" / "extending.md"
    (code,) = re.findall(r"```python\n( +\"\"\"Toy: .*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    space: dict[str, Any] = {}
    exec(textwrap.dedent(code), space)
    (toy,) = space["FORMATS"]
    monkeypatch.setitem(FORMATS, "toy", toy)
    rows = "1\t7\t2020-07-05\t4.5\n1\tx9\t1970-01-02\t1\n2\t007\t2020-07-05\t3\n"
    write(tmp_path / "a" / "toy.tsv", f"who\twhat\twhen\tstars\n{rows}")
    import_folder(tmp_path / "a", tmp_path / "b")
    log = parquet.read_table(tmp_path / "b" / "interactions.parquet").to_pydict()
    assert log["item_id"] == ["7", "x9", "007"] and log["clicked"] == [True, False, True]
    assert log["timestamp"] == [1593907200, 86400, 1593907200]
    write(tmp_path / "a" / "toy.tsv", f"who\twhat\twhen\tstars\n{rows.replace('x9', '0').replace('007', '2')}")
    np.save(tmp_path / "a" / "image.npy", np.ones((3, 2)))
    import_folder(tmp_path / "a", tmp_path / "integers")
    assert load_table(tmp_path / "integers").items.tolist() == [0, 2, 7]
    write(tmp_path / "a" / "toy.tsv", f"who\twhat\twhen\tstars\n{rows.replace('1970-01', '1970-13')}")
    with pytest.raises(DataError, match=r"toy\.tsv, line 3: when '1970-13-02' is not a time written as '%Y-%m-%d'"):
        import_folder(tmp_path / "a", tmp_path / "c")


def test_times_that_a_table_would_not_take_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    RELEASES["movielens-100k"](tmp_path / "raw")
    (log,) = (tmp_path / "raw").rglob("u.data")
    write(log, "1\t7\t5\t9783\n")  # cut off within the time
    with pytest.raises(DataError, match="u.data: times run from 9783 to 9783 seconds since 1970, .* get it again"):
        import_folder(tmp_path / "raw", tmp_path / "out", "movielens-100k")
    assert not (tmp_path / "out").exists()
