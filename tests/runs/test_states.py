"""Who trains a run, and how it stands: locks between real processes, kills, states, what made a run stale."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import hyperctr as hc
from hyperctr.config import REFERENCE_MODEL, Config
from hyperctr.errors import RunError
from hyperctr.runs import source, stale
from hyperctr.runs.stale import why_stale
from hyperctr.runs.states import held, list_runs, read_status, run_lock, write_status
from hyperctr.runs.store import run_id, run_names
from tests.conftest import TINY_SIZES, Tiny

ROOT = Path(__file__).parents[2]
SETTINGS = {"epochs": 2, "batch_size": 64, "test_candidates": 30}  # those of the run that all tests share
# Trains that run; "slow" stops at the second checkpoint until a file appears, as a long run would.
TRAIN = f"""
import logging, sys, time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import hyperctr as hc
from hyperctr.training import checkpoint, loop

log, slow, resume = Path(sys.argv[1]), sys.argv[2] == "slow", sys.argv[3] == "resume"
fit, save = loop.Trainer.fit, checkpoint.save_tensors

def noted(trainer, **options):
    first = not (trainer.state_file.exists() and options["resume"])
    with open(log, "a") as file:
        file.write(f"{{trainer.config.model}} {{'afresh' if first else 'resumed'}}\\n")
    return fit(trainer, **options)

def halting(path, tensors, metadata=None):
    save(path, tensors, metadata)
    if metadata and metadata.get("step", 0) > 5:
        log.with_suffix(".halted").touch()
        while not log.with_suffix(".go").exists():
            time.sleep(0.02)

loop.Trainer.fit = noted
logging.basicConfig(filename=log.with_suffix(".waits"), level=logging.INFO)
if slow:
    checkpoint.save_tensors = halting
data = hc.load_dataset("planted", **{TINY_SIZES!r})
config = hc.Config.for_model("hyperctr", "smoke", **{SETTINGS!r})
print(hc.train(data, config, device="cpu", resume=resume).id)
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HYPERCTR_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def copied(tiny: Tiny, store: Path) -> Path:
    """The shared run in a store that may be spoilt; its folder."""
    shutil.copytree(tiny.store, store)
    return store / tiny.run.id


def start(log: Path, *options: str) -> subprocess.Popen[str]:
    import torch

    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(log), *options],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert process.poll() is None, process.communicate()[1][-1500:]
        assert time.monotonic() < end
        time.sleep(0.02)


def said_to_wait(log: Path) -> bool:
    file = log.with_suffix(".waits")
    return file.exists() and "waiting for it" in file.read_text()


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-1500:]
    return out.strip()


def assert_same(folder: Path, tiny: Tiny) -> None:
    """Equal to the undisturbed run in all but its clock."""
    for name in ("model.safetensors", "interest.safetensors", "rows.csv", "draws.json", "config.toml", "code.json"):
        assert (folder / name).read_bytes() == (tiny.run.folder / name).read_bytes(), name
    timed = {"seconds", "memory_mib"}
    again = hc.load_run(str(folder), tiny.data)
    assert {k: v for k, v in again.metrics.items() if k not in timed} == {
        k: v for k, v in tiny.run.metrics.items() if k not in timed
    }
    assert again.events.drop(columns=list(timed)).equals(tiny.run.events.drop(columns=list(timed)))


def test_the_second_process_waits_and_takes_over_when_the_first_is_killed(
    tiny: Tiny, store: Path, tmp_path: Path
) -> None:
    """The first is killed in mid-run; the second, which had waited all the while, goes on to the same bits."""
    name, log = tiny.run.id, tmp_path / "log"
    first = start(log, "slow", "afresh")
    until(log.with_suffix(".halted").exists, first)
    assert read_status(name).state == "running" and held(name)
    assert read_status(name).pid == first.pid
    second = start(log, "fast", "afresh")
    with pytest.raises(RunError, match=f"run {name} is being trained by another process"), run_lock(name, timeout=0):
        pass
    until(lambda: said_to_wait(log), second)
    assert (store / name / "state").exists()  # nobody removed what is being trained
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert finish(second) == name
    assert log.read_text().split("\n")[:-1] == ["hyperctr afresh", "hyperctr resumed", f"{REFERENCE_MODEL} afresh"]
    assert_same(store / name, tiny)
    assert read_status(name).state == "done" and read_status(name).pid == second.pid


def test_a_killed_run_says_so_and_a_later_process_resumes_it(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    name, log = tiny.run.id, tmp_path / "log"
    first = start(log, "slow", "afresh")
    until(log.with_suffix(".halted").exists, first)
    first.kill()
    first.wait()
    assert read_status(name).state == "killed" and not held(name)
    assert list_runs().loc[0, ["id", "state", "model", "dataset"]].tolist() == [name, "killed", "hyperctr", "planted"]
    assert finish(start(log, "fast", "resume")) == name
    assert log.read_text().split("\n")[:2] == ["hyperctr afresh", "hyperctr resumed"]
    assert_same(store / name, tiny)


def test_two_processes_that_want_the_same_run_train_it_once(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    both = [start(log, "slow", "afresh"), start(log, "slow", "afresh")]
    until(lambda: said_to_wait(log), both[0])
    log.with_suffix(".go").touch()
    assert [finish(one) for one in both] == [tiny.run.id] * 2
    assert sorted(log.read_text().split("\n")[:-1]) == [f"{REFERENCE_MODEL} afresh", "hyperctr afresh"]
    assert_same(store / tiny.run.id, tiny)


def test_a_run_that_raises_has_failed_with_its_words(tiny: Tiny, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config.for_model("hyperctr", "smoke", graph="none")
    name = run_id(tiny.data, config)
    for error, state, words in (
        (OSError(28, "No space left on device"), "failed", "OSError: [Errno 28] No space left on device"),
        (KeyboardInterrupt(), "killed", "KeyboardInterrupt: stopped"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(
                "hyperctr.runs.experiment.Trainer", lambda *arguments, error=error: (_ for _ in ()).throw(error)
            )
            with pytest.raises(type(error)):
                hc.train(tiny.data, config, device="cpu")
        status = read_status(name)
        assert (status.state, status.error, status.pid) == (state, words, os.getpid())
        assert not held(name)


def test_a_state_is_what_was_written_unless_the_disk_says_otherwise(store: Path) -> None:
    assert read_status("a").state == "planned"
    write_status("a", "running", pid=17)
    assert read_status("a").state == "killed"  # nobody holds it
    with run_lock("a") as waited:
        assert (read_status("a").state, read_status("a").pid, waited) == ("running", 17, False)
    write_status("a", "failed", exit=1, error="no luck")
    status = read_status("a")
    assert (status.state, status.exit, status.error, status.pid) == ("failed", 1, "no luck", 17)
    write_status("a", "planned")
    assert (read_status("a").error, read_status("a").exit) == (None, None)
    (store / "a" / "events.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"ste')
    assert read_status("a").last_event == {"step": 2}
    (store / "a" / "status.json").write_text("torn")
    assert read_status("a").state == "planned"
    (store / "a" / "DONE").touch()
    assert (read_status("a").state, "metrics.json: missing" in str(read_status("a").error)) == ("failed", True)
    with pytest.raises(RunError, match="status 'runing' is not known; did you mean 'running'"):
        write_status("a", "runing")  # type: ignore[arg-type]
    with pytest.raises(RunError, match="status 'errors' is not known; did you mean 'error'"):
        write_status("a", "failed", errors="")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("metrics.json", b'{"auc": 0.'),
        ("metrics.json", b"\xff\xfe"),
        ("metrics.json", b"[]"),
        ("metrics.json", b"{}"),
        ("config.toml", b"seed = "),
        ("config.toml", b"\xff"),
        ("config.toml", b"sed = 1"),
        ("metrics.json", None),
    ],
)
def test_a_corrupt_run_names_the_file_and_the_fix(tiny: Tiny, copied: Path, file: str, content: bytes | None) -> None:
    (copied / file).unlink()
    if content is not None:
        (copied / file).write_bytes(content)
    with pytest.raises(RunError) as caught:
        hc.train(tiny.data, tiny.run.config, device="cpu")
    assert str(caught.value).startswith(f"{copied / file}: ")
    assert f"delete {copied} and train it again" in str(caught.value)
    if file == "metrics.json" and content != b"{}":
        row = list_runs().set_index("id").loc[copied.name]
        assert row["state"] == "failed" and str(copied / file) in row["error"]


def test_the_list_holds_what_the_runs_hold(tiny: Tiny, copied: Path) -> None:
    (copied.parent / "dry-0123").mkdir()
    write_status("fedcba", "planned")
    (copied.parent / "fedcba" / "data.json").write_text('{"name": "table", "data_dir": "/clicks/my_videos"}')
    table = list_runs().set_index("id")
    assert set(table.index) == {*run_names()} - {"dry-0123"} and len(table) == 3
    row = table.loc[tiny.run.id]
    assert (row["state"], row["model"], row["dataset"], row["seed"]) == ("done", "hyperctr", "planted", 0)
    assert (row["auc"], row["seconds"]) == (tiny.run.metrics["auc"], tiny.run.metrics["seconds"])
    assert table.loc["fedcba", ["state", "dataset"]].tolist() == ["planned", "my_videos"]


def edit(folder: Path, name: str, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))


def test_a_run_that_nothing_has_overtaken_is_not_stale(tiny: Tiny, copied: Path) -> None:
    assert [why_stale(name) for name in run_names()] == ["", ""]


def test_why_a_run_is_stale(tiny: Tiny, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = copied.name
    kept = (copied / "config.toml").read_text()
    (copied / "config.toml").write_text(kept.replace("layers = 1", "layers = 2", 1))
    assert why_stale(name) == "setting layers: the run was begun with 1, its config.toml says 2"
    (copied / "config.toml").write_text(kept)

    with monkeypatch.context() as patch:
        patch.setattr("hyperctr.config.MEASURED", ("seed", "protocol"))
        assert why_stale(name).startswith("setting validation_clicks of the reference beside it: was 200, is ")
    with monkeypatch.context() as patch:
        other = hc.load_dataset("planted", seed=1, **TINY_SIZES)
        patch.setattr(stale, "load_again", lambda origin: other)
        was, now = tiny.data.fingerprint[:12], other.fingerprint[:12]
        assert why_stale(name) == f"data: planted has changed, its fingerprint was {was} and is {now}"
        assert why_stale(name, data=False) == ""

    edit(copied, "code.json", lambda begun: begun["files"].update({"model/fusion.py": "0" * 64, "model/old.py": ""}))
    words = "code: hyperctr/model/fusion.py has changed, hyperctr/model/old.py is gone"
    assert why_stale(name) == words
    assert list_runs().set_index("id").loc[name, "state"] == "stale"
    edit(copied, "code.json", lambda begun: begun["settings"].pop("layers"))
    (copied / "config.toml").write_text(kept.replace("layers = 1\n", "", 1))
    assert why_stale(name) == "setting layers: added to the library since"
    (copied / "code.json").unlink()
    assert why_stale(name).startswith("code: the run was made by a version that did not keep what it used")


def test_why_stale_follows_the_source(
    tiny: Tiny, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hyperctr"
    shutil.copytree(source.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(source, "PACKAGE", package)
    with open(package / "model" / "fusion.py", "a") as file:
        file.write("\nchanged = 1\n")
    source.code_files.cache_clear()
    try:
        assert why_stale(copied.name) == "code: hyperctr/model/fusion.py has changed"
    finally:
        source.code_files.cache_clear()
