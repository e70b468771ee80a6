"""The command line: exit codes, messages, files. What computes is replaced, but for one test of the real thing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hyperctr.cli import main
from hyperctr.config import Config
from hyperctr.data import registry
from hyperctr.errors import DataError, RunError
from hyperctr.runs.store import runs_folder

Captured = pytest.CaptureFixture[str]


def replace_module(monkeypatch: pytest.MonkeyPatch, name: str, **names: Any) -> None:
    module = ModuleType(name)
    vars(module).update(names)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """Calls of ``train``; the run that it returns has a test AUC of 0.81239."""
    (tmp_path / "runs").mkdir()
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    calls: list[dict[str, Any]] = []

    def load_dataset(name: str, *, data_dir: Path | None = None) -> Any:
        if name != "planted":
            raise DataError(f"data set {name!r} is not known")
        return SimpleNamespace(name=name, data_dir=data_dir, warnings=[])

    def train(data: Any, config: Config, *, resume: bool, device: str | None, dry_run: bool) -> Any:
        calls.append({"data": data, "config": config, "resume": resume, "device": device, "dry_run": dry_run})
        (runs_folder() / "planted-1a2b").mkdir(exist_ok=True)
        print("progress of some kind")
        return SimpleNamespace(id="planted-1a2b", metrics={"auc": 0.81239})

    monkeypatch.setattr(registry, "load_dataset", load_dataset)
    replace_module(monkeypatch, "hyperctr.runs.experiment", train=train)
    return calls


def test_train_prints_run_id_and_auc_last(trained: list[dict[str, Any]], capsys: Captured) -> None:
    assert main(["train", "planted"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "planted-1a2b test AUC 0.8124"
    assert trained[0]["config"] == Config()
    assert (trained[0]["resume"], trained[0]["device"]) == (False, None)


def test_train_takes_a_budget_or_a_file_not_both(
    trained: list[dict[str, Any]], tmp_path: Path, capsys: Captured
) -> None:
    assert main(["train", "planted", "--budget", "quick", "--dry-run", "--set", "model=hyperctr+"]) == 0
    assert trained[0]["config"] == Config.for_model("hyperctr+", "quick")
    assert trained[0]["dry_run"]
    assert runs_folder() == tmp_path / "runs" and [*runs_folder().iterdir()] == [], "a dry run is not kept"
    (tmp_path / "run.toml").write_text("epochs = 7\n")
    assert main(["train", "planted", "--budget", "quick", "--config", str(tmp_path / "run.toml")]) == 2
    assert "leave one out" in capsys.readouterr().err
    for line, expected in (
        (["--budget", "quick"], Config.for_model("autofis", "quick")),
        (["--budget", "smoke", "--variant", "author"], Config.for_model("autofis", "smoke", "author")),
        ([], Config.for_model("autofis")),
    ):
        assert main(["train", "planted", *line, "--set", "model=autofis", "epochs=5"]) == 0
        assert trained[-1]["config"] == expected.replace(epochs=5)
    assert main(["train", "planted", "--variant", "author"]) == 2
    assert "variants belong to alpine" in capsys.readouterr().err
    assert main(["train", "planted", "--variant", "author", "--config", str(tmp_path / "run.toml")]) == 2
    assert "leave --variant out" in capsys.readouterr().err


def test_train_settings_come_from_file_then_set_then_seed(trained: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('protocol = "causal"\nepochs = 7\nseed = 1\n')
    line = ["train", "planted", "--config", str(file), "--set", "epochs=3", "layers=1", "--set", "dropout=0.5"]
    assert main([*line, "--seed", "9", "--resume", "--device", "cpu", "--data-dir", str(tmp_path)]) == 0
    expected = Config(protocol="causal", epochs=3, layers=1, dropout=0.5, seed=9)
    call = trained[0]
    assert (call["config"], call["resume"], call["device"]) == (expected, True, "cpu")
    assert call["data"].data_dir == tmp_path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "planted", "--set", "epoch=3"], ["unknown setting 'epoch'", "did you mean 'epochs'?"]),
        (["train", "planted", "--set", "epochs"], ["'epochs' must be written key=value"]),
        (["train", "planted", "--config", "nosuch.toml"], ["nosuch.toml: no such settings file"]),
        (["train", "nosuch"], ["data set 'nosuch' is not known"]),
        (["data", "check", "nosuch"], ["data set 'nosuch' is not known"]),
    ],
)
def test_wrong_input_is_a_message_and_two(
    trained: list[dict[str, Any]], capsys: Captured, arguments: list[str], words: list[str]
) -> None:
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert all(word in message for word in words)
    assert "Traceback" not in message
    assert not trained


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "required: COMMAND"),
        (["trian", "planted"], "did you mean 'train'?"),
        (["train", "planted", "--sed", "3"], "did you mean '--seed'?"),
        (["train", "planted", "--seed", "x"], "invalid int value: 'x'"),
        (["train"], "required: DATASET"),
        (["data", "chek", "planted"], "did you mean 'check'?"),
        (["runs", "why-stal", "r1"], "did you mean 'why-stale'?"),
        (["report", "planted", "--budget", "quik"], "did you mean 'quick'?"),
        (["report", "planted", "extra"], "'extra' is not known"),
        (["predict", "r1", "--out", "s.csv"], "required: --pairs"),
    ],
)
def test_wrong_arguments_exit_with_two_and_the_right_word(capsys: Captured, arguments: list[str], word: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert word in capsys.readouterr().err


def test_data_list_and_check(capsys: Captured, tmp_path: Path) -> None:
    assert main(["data", "list", "--data-dir", str(tmp_path)]) == 0
    rows = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == [known.name for known in registry.known_datasets(tmp_path)]
    assert {row[0]: row[1] for row in rows}["planted"] == "ready"
    assert {row[0]: row[1] for row in rows}["table"] == "-"

    (tmp_path / "interactions.csv").write_text(
        "user_id,item_id,timestamp\n1,10,5\n1,11,6\n2,10,7\n2,10,7\n1,10,8\n1,11,9\n2,10,10\n"
    )
    (tmp_path / "features").mkdir()
    ids, values = np.array([10, 11]), np.array([[0.5], [1.5]])
    np.savez(tmp_path / "features" / "visual.npz", item_id=ids, values=values)
    assert main(["data", "check", "table", "--data-dir", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    table = dict(line.split(maxsplit=1) for line in out.splitlines() if not line.startswith("warning"))
    assert (table["users"], table["items"], table["clicks"], table["visual_dim"]) == ("2", "2", "6", "1")
    assert any(line.startswith("warning: ") and "repeat an earlier row" in line for line in out.splitlines())


@pytest.fixture
def scoring(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Any], list[Any], list[int] | None]]:
    """Calls of ``Run.predict``, whose score of a pair is its row number / 10."""
    calls = []

    def predict(users: Any, items: Any, timestamps: Any = None, *, prior: float) -> Any:
        calls.append((list(users), list(items), None if timestamps is None else list(timestamps)))
        return np.arange(len(users)) / 10 * 2 * prior

    def load_run(run_id: str) -> Any:
        if run_id != "r1":
            raise RunError(f"run {run_id!r} does not exist")
        users, items = np.array([1, 5, 6, 7]), np.array(["2", "a", "b"], dtype=object)
        data = SimpleNamespace(users=users, items=items)
        return SimpleNamespace(predict=predict, calibration=object(), split_data=SimpleNamespace(data=data))

    replace_module(monkeypatch, "hyperctr.runs.run", load_run=load_run)
    return calls


def test_predict_keeps_the_row_order(scoring: list[Any], tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("item_id,user_id,timestamp\nb,7,30\na,5,10\nb,6,20\n")
    for name, read in (("scores.parquet", pd.read_parquet), ("scores.csv", pd.read_csv)):
        assert main(["predict", "r1", "--pairs", str(pairs), "--out", str(tmp_path / name)]) == 0
        frame = read(tmp_path / name)
        assert list(frame.columns) == ["user_id", "item_id", "timestamp", "score"]
        assert frame["user_id"].tolist() == [7, 5, 6]
        assert frame["item_id"].tolist() == ["b", "a", "b"]
        assert frame["score"].tolist() == [0.0, 0.1, 0.2]
    assert scoring == [([7, 5, 6], ["b", "a", "b"], [30, 10, 20])] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.csv", "scores.csv", "scores.parquet"]


def test_predict_for_another_share_of_clicks(scoring: list[Any], tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "pairs.csv").write_text("user_id,item_id\n1,2\n1,a\n")
    line = ["predict", "r1", "--pairs", str(tmp_path / "pairs.csv"), "--out", str(tmp_path / "s.csv")]
    for more, score, words in (([], 0.1, "0.5"), (["--prior", "0.05"], 0.01, "0.05")):
        assert main(line + more) == 0
        assert pd.read_csv(tmp_path / "s.csv")["score"].tolist() == pytest.approx([0.0, score])
        assert capsys.readouterr().out.endswith(f"s.csv, probabilities for a share of clicks of {words}\n")


def test_predict_without_timestamps(scoring: list[Any], tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("user_id,item_id\n1,2\n")
    line = ["predict", "r1", "--pairs", str(tmp_path / "pairs.csv"), "--out", str(tmp_path / "s.csv")]
    assert main(line) == 0
    assert scoring == [([1], ["2"], None)]  # ids of the kind that the data set has
    assert (tmp_path / "s.csv").read_text() == "user_id,item_id,score\n1,2,0.0\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user_id,item_id\n1,2\n,3\n", ["line 3", "user_id", "is empty"]),
        ("user_id,item_id,timestamp\n1,2,5\n1,2,5.5\n", ["line 3", "timestamp '5.5'", "not a whole number"]),
        ("user_id,item_id,timestamp\n1,2,\n", ["line 2", "timestamp ''"]),
        ("user_id,item\n1,2\n", ["line 1", "'item_id'"]),
        ("user_id,item_id,time\n1,2,3\n", ["line 1", "'time' is not known", "did you mean 'timestamp'?"]),
        ("user_id,item_id\n1,2\n1,2,3\n", ["line 3", "3 fields"]),
        ("user_id;item_id\n1;2\n", ["line 1", "semicolons"]),
        ("user_id,item_id\n", ["no rows"]),
        ("", ["is empty"]),
    ],
)
def test_predict_refuses_damaged_pairs(
    scoring: list[Any], tmp_path: Path, capsys: Captured, text: str, words: list[str]
) -> None:
    pairs, out = tmp_path / "pairs.csv", tmp_path / "scores.csv"
    pairs.write_text(text)
    assert main(["predict", "r1", "--pairs", str(pairs), "--out", str(out)]) == 2
    message = capsys.readouterr().err
    assert all(word in message for word in [str(pairs), *words]), message
    assert not out.exists()
    assert not scoring


def test_predict_refuses_other_names(scoring: list[Any], tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "pairs.csv").write_text("user_id,item_id\n1,2\n")
    pairs = ["--pairs", str(tmp_path / "pairs.csv")]
    assert main(["predict", "r1", *pairs, "--out", "scores.json"]) == 2
    assert "scores.json: scores can be written to a name that ends in .parquet or .csv" in capsys.readouterr().err
    assert main(["predict", "r2", *pairs, "--out", str(tmp_path / "s.csv")]) == 2
    assert "run 'r2' does not exist" in capsys.readouterr().err
    assert main(["predict", "r1", *pairs, "--out", str(tmp_path / "pairs.csv" / "s.csv")]) == 2
    assert "s.csv: cannot be written" in capsys.readouterr().err
    before = {"pairs.csv": "user_id,item_id\n1,2\n", "log.csv": "user_id,item_id,timestamp\n1,2,3\n", "x.parquet": "?"}
    (tmp_path / "folder.csv").mkdir()
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    for name in (*before, "folder.csv"):
        assert main(["predict", "r1", *pairs, "--out", str(tmp_path / name)]) == 2
        why = "is read by the same command" if name == "pairs.csv" else "is there already and holds no scores"
        assert f"{name}: {why}" in capsys.readouterr().err
    assert {name: (tmp_path / name).read_text() for name in before} == before


def test_report_passes_on_what_it_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = []

    def build_report(dataset: str, budget: str, **options: Any) -> Any:
        calls.append((dataset, budget, {name: value for name, value in options.items() if value}))
        return SimpleNamespace(exit_code=1 if budget == "smoke" else 0)

    replace_module(monkeypatch, "hyperctr.report.build", build_report=build_report)
    assert main(["report", "planted"]) == 0
    line = ["report", "table", "--budget", "smoke", "--data-dir", str(tmp_path), "--seeds", "3", "--workers", "2"]
    assert main([*line, "--only", "12", "13", "--force"]) == 1
    asked = {"data_dir": tmp_path, "seeds": 3, "workers": 2, "only": ["12", "13"], "force": True}
    assert calls == [("planted", "quick", {}), ("table", "smoke", asked)]


def test_an_unexpected_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def build_report(*arguments: Any, **options: Any) -> int:
        raise ZeroDivisionError("a defect")

    replace_module(monkeypatch, "hyperctr.report.build", build_report=build_report)
    with pytest.raises(ZeroDivisionError):  # Python prints the traceback and exits with 1
        main(["report", "planted"])


def test_a_full_disk_is_said_and_is_no_fault_of_the_input(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def build_report(*arguments: Any, **options: Any) -> int:
        raise OSError(28, "No space left on device", "metrics.json")

    replace_module(monkeypatch, "hyperctr.report.build", build_report=build_report)
    assert main(["report", "planted"]) == 1
    assert capsys.readouterr().err == ("hyperctr: No space left on device: metrics.json; make room and run it again\n")


def test_python_dash_m_runs_the_command() -> None:
    line = [sys.executable, "-m", "hyperctr"]
    root = Path(__file__).parent.parent
    version = subprocess.run([*line, "--version"], capture_output=True, text=True, cwd=root)
    assert (version.returncode, version.stdout.split()[0]) == (0, "hyperctr")
    wrong = subprocess.run([*line, "data", "check", "plantd"], capture_output=True, text=True, cwd=root)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.strip() == "hyperctr: data set 'plantd' is not known; did you mean 'planted'?"


def test_train_and_predict_for_real(
    tiny_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Files in, files out, nothing replaced; each command knows only what the one before left on disk."""
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("HYPERCTR_DATA", str(tiny_table))
    tiny = ["embedding_size=8", "layers=1", "hidden=[8, 4]", "epochs=1", "interest_epochs=1", "points_per_epoch=1"]
    assert main(["train", "table", "--device", "cpu", "--seed", "2", "--set", *tiny, "test_candidates=20"]) == 0
    out, err = capsys.readouterr()
    run, *words = out.splitlines()[-1].split()
    metrics = json.loads((tmp_path / "runs" / run / "metrics.json").read_text())
    assert words == ["test", "AUC", f"{metrics['auc']:.4f}"] and metrics["seed"] == 2
    assert "Traceback" not in err and all(line.startswith("warning: ") for line in err.splitlines())

    pairs, scores = tmp_path / "pairs.csv", tmp_path / "scores.csv"
    log = pd.read_csv(tiny_table / "interactions.csv").sample(30, random_state=0)
    log[["timestamp", "item_id", "user_id"]].to_csv(pairs, index=False)
    assert main(["predict", run[:6], "--pairs", str(pairs), "--out", str(scores)]) == 0
    assert capsys.readouterr().out == f"30 scores written to {scores}, probabilities for a share of clicks of 0.5\n"
    found = pd.read_csv(scores)
    for name in ("user_id", "item_id", "timestamp"):
        assert found[name].tolist() == log[name].tolist()
    assert found["score"].between(0, 1, inclusive="neither").all() and found["score"].nunique() > 15

    pairs.write_text("user_id,item_id\n1,10000\n77777,10000\n")
    assert main(["predict", run, "--pairs", str(pairs), "--out", str(scores)]) == 2
    assert "77777" in capsys.readouterr().err
    assert main(["predict", "nosuch", "--pairs", str(pairs), "--out", str(scores)]) == 2
    assert "no run 'nosuch'" in capsys.readouterr().err
    assert main(["train", "table", "--set", "model=hyperctrr"]) == 2
    assert "did you mean 'hyperctr'?" in capsys.readouterr().err
    assert main(["train", "table", "--device", "cuda:99"]) == 2
    assert "cuda:99" in capsys.readouterr().err


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "hyperctr", "data", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 0)
