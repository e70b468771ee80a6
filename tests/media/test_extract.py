"""A folder of media to features: values, failures, what goes on after a kill, and the table that reads them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hyperctr.cli import main
from hyperctr.data.table import load_table
from hyperctr.errors import ConfigError, DataError, DataWarning
from hyperctr.media import extract, plain
from hyperctr.media.extract import extract_features
from hyperctr.media.extractors import EXTRACTORS
from hyperctr.media.items import list_media
from tests.media.clips import BARS, H264, RED, SILENCE, TONE, Make

PLAIN = ("colour-edges", "mel-statistics", "tfidf")


@pytest.fixture
def media(make: Make) -> Path:
    """Six items: bars with a tone, red and silent, a corrupt one, an empty one, an image with a sound, a lone text."""
    folder = make("1.mp4", *BARS, *TONE, *H264, "-shortest").parent
    make("2.mp4", *RED, *SILENCE, *H264)
    (folder / "3.mp4").write_text("this is no video")
    (folder / "4.mp4").touch()
    make("5.png", *RED, "-frames:v", "1")
    make("5.wav", *TONE)
    for item, text in ((1, "bars and a tone"), (5, "red, and a tone"), (6, "xyzzy")):
        (folder / f"{item}.txt").write_text(text)
    return folder


def read(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_features_are_those_of_the_files_and_the_rest_is_reported(
    media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (media / "notes.pdf").touch()
    out = tmp_path / "out"
    command = ["data", "extract", "--media", str(media), "--out", str(out), "--extractor", *PLAIN, "--batch", "2"]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "1 entries are no video, image, sound or text by their suffix and were ignored: notes.pdf" in said.err
    lines = said.out.splitlines()
    assert lines[0] == f"visual: 3 of 5 items x 72 (colour-edges): {out}/features/visual.npz"
    assert "  left out: item 4 is empty (0 bytes)" in lines and "  left out: item 2 is silent" in lines
    visual, acoustic, textual = (read(out / "features" / f"{name}.npz") for name in ("visual", "acoustic", "textual"))
    assert visual["item_id"].tolist() == [1, 2, 5] and visual["values"].dtype == np.float32
    assert visual["values"][1:, 48].tolist() == [1.0, 1.0] and visual["values"][0, 48] < 0.5
    assert acoustic["item_id"].tolist() == [1, 5]
    assert acoustic["values"][:, :64].argmax(axis=1).tolist() == [10, 10]
    assert textual["item_id"].tolist() == [1, 5]
    record = json.loads((out / "extraction.json").read_text())
    foreign = "is no video, image or sound that ffmpeg can open, or it is damaged"
    assert record["visual"]["failures"] == {"3": foreign, "4": "is empty (0 bytes)"}
    assert record["acoustic"]["failures"] == record["visual"]["failures"] | {"2": "is silent"}
    assert record["textual"]["failures"] == {"6": "knows no word that another text has"}
    assert (record["visual"]["extractor"], record["visual"]["items"], record["visual"]["dim"]) == (
        "colour-edges",
        3,
        72,
    )
    assert {"hyperctr", "numpy", "ffmpeg"} <= record["visual"].keys()
    assert [path.name for path in (out / ".extraction").iterdir()] == ["lock"]


def test_a_table_masks_what_was_left_out(media: Path, tmp_path: Path) -> None:
    extract_features(media, tmp_path / "out", extractors=PLAIN)
    log = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 3, 5], "timestamp": [1, 2, 3, 4]})
    log.to_csv(tmp_path / "out" / "interactions.csv", index=False)
    with pytest.warns(DataWarning, match="1 of 4 items have no feature in any modality"):
        data = load_table(tmp_path / "out")
    assert data.items.tolist() == [1, 2, 3, 5]
    assert data.features["visual"].present.tolist() == [True, True, False, True]
    assert data.features["acoustic"].present.tolist() == [True, False, False, True]


def test_the_same_command_does_nothing_twice_and_repeats_to_the_bit(media: Path, tmp_path: Path) -> None:
    first = extract_features(media, tmp_path / "a", extractors=PLAIN)
    assert not any(extraction.repeated for extraction in first)
    again = extract_features(media, tmp_path / "a", extractors=PLAIN)
    assert all(extraction.repeated for extraction in again)
    assert [e.failures for e in again] == [e.failures for e in first]
    extract_features(media, tmp_path / "b", extractors=PLAIN)
    for name in ("visual", "acoustic", "textual"):
        a, b = (tmp_path / folder / "features" / f"{name}.npz" for folder in ("a", "b"))
        assert all(np.array_equal(x, y) for x, y in zip(read(a).values(), read(b).values(), strict=True))
    (media / "4.mp4").write_bytes((media / "2.mp4").read_bytes())
    (changed,) = extract_features(media, tmp_path / "a", extractors=["colour-edges"])
    assert not changed.repeated and changed.items == 4
    assert json.loads((tmp_path / "a" / "extraction.json").read_text()).keys() == {"visual", "acoustic", "textual"}


def test_a_stopped_run_goes_on_with_the_next_batch(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    extract_features(media, whole, extractors=["colour-edges"], batch=2)
    computed: list[int] = []

    def stops(frames: Any) -> Any:
        computed.append(len(frames))
        if len(computed) == 3:
            raise KeyboardInterrupt
        return vector(frames)

    vector = plain.colours_and_edges
    monkeypatch.setattr(plain, "colours_and_edges", stops)
    with pytest.raises(KeyboardInterrupt):  # in the batch of item 5; those of 1, 2 and of 3, 4 are whole
        extract_features(media, tmp_path / "out", extractors=["colour-edges"], batch=2)
    assert not (tmp_path / "out" / "features").exists()
    assert len(list((tmp_path / "out" / ".extraction" / "visual").glob("*.npz"))) == 2
    extract_features(media, tmp_path / "out", extractors=["colour-edges"], batch=2)
    assert len(computed) == 4
    a, b = (read(folder / "features" / "visual.npz") for folder in (whole, tmp_path / "out"))
    assert np.array_equal(a["item_id"], b["item_id"]) and np.array_equal(a["values"], b["values"])


def test_a_killed_process_leaves_whole_batches(make: Make, tmp_path: Path) -> None:
    red = make("000.mp4", *RED, *H264)
    for number in range(1, 40):
        shutil.copy(red, red.with_name(f"{number:03}.mp4"))
    out, shards = tmp_path / "out", tmp_path / "out" / ".extraction" / "visual"
    line = ["data", "extract", "--media", str(red.parent), "--out", str(out), "--extractor", "colour-edges"]
    process = subprocess.Popen([sys.executable, "-m", "hyperctr", *line, "--batch", "1"], stdout=subprocess.PIPE)
    try:
        for _ in range(3000):
            if len(list(shards.glob("*.npz"))) >= 3 or process.poll() is not None:
                break
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    kept = {path: path.stat().st_mtime_ns for path in shards.glob("[0-9a-f]*.npz")}
    assert 3 <= len(kept) < 40 and not (out / "features").exists()
    before, seen = os.replace, []
    for path in kept:
        assert read(path)["values"].shape == (1, 72)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", lambda *names: (seen.append(Path(names[1])), before(*names))[1])
        assert main([*line, "--batch", "1"]) == 0
    assert not kept.keys() & set(seen)  # what was there was not computed again
    features = read(out / "features" / "visual.npz")
    assert features["item_id"].tolist() == [f"{number:03}" for number in range(40)]
    assert features["values"][:, 48].tolist() == [1.0] * 40


def test_two_processes_do_not_work_in_one_folder(media: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "out" / ".extraction").mkdir(parents=True)
    with (
        FileLock(tmp_path / "out" / ".extraction" / "lock"),
        pytest.raises(DataError, match="another process is extracting features there"),
    ):
        extract_features(media, tmp_path / "out", extractors=PLAIN)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder of three texts, for which no ffmpeg is needed."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_text("the same words")
    return folder


def test_ids_that_are_no_numbers_stay_as_they_are(written: Path, tmp_path: Path) -> None:
    (extraction,) = extract_features(written, tmp_path / "out", extractors=["tfidf"])
    assert read(extraction.file)["item_id"].tolist() == ["a", "b", "c"]
    assert np.unique(read(extraction.file)["values"], axis=0).shape == (1, 3)


def test_mistakes_are_told_before_anything_is_written(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with pytest.raises(DataError, match="there is no such folder"):
        extract_features(tmp_path / "nowhere", out)
    with pytest.raises(ConfigError, match="'visul' is not known; did you mean 'visual'"):
        extract_features(written, out, modalities=["visul"])
    with pytest.raises(DataError, match="holds no file for the visual modality"):
        extract_features(written, out, extractors=["colour-edges"])
    with pytest.raises(ConfigError, match="batch is 0"):
        extract_features(written, out, batch=0)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.pdf").touch()
    with pytest.raises(DataError, match=r"holds no media \(1 .pdf\)"):
        list_media(tmp_path / "pages")
    (written / "a.mp4").touch()
    (written / "a.png").touch()
    with pytest.raises(DataError, match="a.mp4 and a.png both give the visual modality of item 'a'"):
        list_media(written)
    assert not out.exists()
    (written / "a.png").unlink()
    (out / "features").mkdir(parents=True)
    (out / "features" / "textual.parquet").touch()
    assert main(["data", "extract", "--media", str(written), "--out", str(out), "--extractor", "tfidf"]) == 2
    assert "textual.parquet: is there already and was not extracted" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["data", "extract", "--media", str(written)])


def test_without_one_vector_nothing_is_written(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in written.iterdir():
        path.write_text("")
    line = ["data", "extract", "--media", str(written), "--out", str(tmp_path / "out"), "--extractor", "tfidf"]
    assert main(line) == 1
    assert "textual: no item has a vector, nothing was written" in capsys.readouterr().out
    assert not (tmp_path / "out" / "features").exists()


def test_extractors_are_listed_with_the_line_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "extractors"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{said}" for name in EXTRACTORS)
    assert extract.MODALITIES == ("visual", "acoustic", "textual")
