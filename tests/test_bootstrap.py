"""The set-up script: which torch it chooses, when it has nothing to do, and what it passes on."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "tools" / "bootstrap.py"
PROJECT = """
[project]
name = "hyperctr"
dependencies = [
    "torch>=2.8,<3",
    "numpy>=2.0",
]

[tool.ruff]
line-length = 110
"""


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, working on an empty project of its own."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("HYPERCTR_NO_VENV", "HYPERCTR_TORCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "constraints.txt").write_text("numpy==2.1.0\n")
    return module


class Installers:
    """Stands in for pip and uv: remembers each call, and lets those containing a given word fail."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch, torch: str = "", fails: Any = ()) -> None:
        self.calls: list[str] = []
        self.fails, self.torch = fails, torch
        monkeypatch.setattr(module, "attempt", self.attempt)
        monkeypatch.setattr(module, "installed_torch", lambda python: self.torch)

    def attempt(self, python: Path, log: Path, installer: str, *arguments: object) -> bool:
        call = " ".join([installer, *map(str, arguments)])
        self.calls.append(call)
        works = not any(word in call for word in self.fails)
        if works and "torch" in call:
            self.torch = "2.13.0"
        return works


def machine(module: ModuleType, monkeypatch: pytest.MonkeyPatch, platform: str, driver: bool) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(**{**vars(sys), "platform": platform}))
    which = (lambda name: "/usr/bin/" + name) if driver else (lambda name: None)
    monkeypatch.setattr(module, "shutil", SimpleNamespace(which=which))


DISK = "pip --no-index --no-deps torch>=2.8,<3"
CPU = "uv --torch-backend=cpu torch>=2.8,<3"
PLAIN = "pip torch>=2.8,<3"


@pytest.mark.parametrize(
    ("platform", "driver", "fails", "calls"),
    [
        ("linux", False, (), [DISK]),
        ("linux", True, (), [DISK]),
        ("linux", False, ("--no-index",), [DISK, "pip uv", CPU]),
        ("linux", False, ("--no-index", "backend"), [DISK, "pip uv", CPU, PLAIN]),
        ("linux", False, ("--no-index", "pip uv"), [DISK, "pip uv", PLAIN]),
        ("linux", True, ("--no-index",), [DISK, PLAIN]),
        ("darwin", False, ("--no-index",), [DISK, PLAIN]),
        ("win32", True, ("--no-index",), [DISK, PLAIN]),
    ],
)
def test_the_order_of_torch_choice(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    driver: bool,
    fails: tuple[str, ...],
    calls: list[str],
) -> None:
    machine(bootstrap, monkeypatch, platform, driver)
    installers = Installers(bootstrap, monkeypatch, fails=fails)
    assert bootstrap.install_torch(Path("python"), Path("log")) == "2.13.0"
    assert installers.calls == calls


def test_a_torch_that_is_there_stays(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_TORCH", "torch==2.9")
    installers = Installers(bootstrap, monkeypatch, torch="2.11.0+cu128")
    assert bootstrap.install_torch(Path("python"), Path("log")) == "2.11.0+cu128"
    assert installers.calls == []


def test_the_chosen_torch_goes_before_all_others(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_TORCH", "torch==2.11.* --pre")
    installers = Installers(bootstrap, monkeypatch)
    bootstrap.install_torch(Path("python"), Path("log"))
    assert installers.calls == ["pip torch==2.11.* --pre"]
    installers = Installers(bootstrap, monkeypatch, fails=("pip",))
    with pytest.raises(bootstrap.SetupError, match="HYPERCTR_TORCH='torch==2.11.* --pre'"):
        bootstrap.install_torch(Path("python"), Path("log"))


def test_an_old_torch_of_the_users_own_environment_is_not_replaced(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERCTR_NO_VENV", "1")
    installers = Installers(bootstrap, monkeypatch, torch="2.7.1")
    with pytest.raises(bootstrap.SetupError, match=r"holds torch 2\.7\.1, HyperCTR needs torch>=2\.8,<3"):
        bootstrap.install_torch(Path("python"), Path("log"))
    assert installers.calls == []


def test_the_project_is_installed_under_the_chosen_torch(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    constraints = f"-c {tmp_path / 'requirements' / 'constraints.txt'} -c {tmp_path / 'hyperctr-torch.txt'}"
    what = f"{constraints} -e {tmp_path}[all]"
    installers = Installers(bootstrap, monkeypatch)
    bootstrap.install_project(Path("python"), tmp_path / "log", "2.13.0+cpu")
    assert installers.calls == ["pip uv", f"uv --compile-bytecode {what}"]
    assert (tmp_path / "hyperctr-torch.txt").read_text() == "torch==2.13.0+cpu\n"

    installers = Installers(bootstrap, monkeypatch, fails=("uv --compile",))
    bootstrap.install_project(Path("python"), tmp_path / "log", "2.13.0+cpu")
    assert installers.calls[-1] == f"pip {what}"


@pytest.mark.parametrize(
    ("version", "inside"),
    [("2.8", True), ("2.8.0+cpu", True), ("2.13.0.dev1", True), ("2.7.9", False), ("3.0", False), ("3", False)],
)
def test_bounds(bootstrap: ModuleType, version: str, inside: bool) -> None:
    assert bootstrap.satisfies(version, bootstrap.torch_requirement()) is inside


def test_only_what_matters_sets_up_anew(bootstrap: ModuleType, tmp_path: Path) -> None:
    before = bootstrap.fingerprint()
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace("110", "100"))
    assert bootstrap.fingerprint() == before
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace("numpy>=2.0", "numpy>=2.1"))
    assert bootstrap.fingerprint() != before
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "requirements" / "constraints.txt").write_text("numpy==2.2.0\n")
    assert bootstrap.fingerprint() != before


def test_a_python_without_venv_is_told_what_to_type(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = SimpleNamespace(returncode=1, stdout="ensurepip is not available", stderr="")
    monkeypatch.setattr(bootstrap, "subprocess", SimpleNamespace(run=lambda *a, **k: said))
    assert bootstrap.main([]) == 1
    message = capsys.readouterr().err
    assert f"apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in message
    assert "ensurepip is not available" in message
    assert not (tmp_path / ".venv").exists()


def test_an_environment_is_made_anew_only_where_it_cannot_serve(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, made = tmp_path / ".venv", []
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *a, **k: made.append(1) or SimpleNamespace(returncode=0))
    right = "{}.{} ".format(*sys.version_info) + str(folder)
    for answer, script, times in [
        (right, f"#!{folder}/bin/python", 0),
        (right, "#!/elsewhere/.venv/bin/python", 1),  # the folder was moved: its scripts point to the old place
        (f"3.10 {folder}", f"#!{folder}/bin/python", 1),
        ("", f"#!{folder}/bin/python", 1),  # its Python is gone
    ]:
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / "pip").write_text(script)
        monkeypatch.setattr(bootstrap, "query", lambda python, code, answer=answer: answer)
        made.clear()
        bootstrap.make_venv()
        assert len(made) == times, answer
        assert folder.exists() is (times == 0)


def test_a_failed_install_shows_the_installers_last_words_and_is_tried_again(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "make_venv", lambda: (tmp_path / ".venv").mkdir(exist_ok=True))

    def fail(python: Path, log: Path) -> str:
        log.write_text("no space left on device\n")
        raise bootstrap.SetupError("torch could not be installed")

    monkeypatch.setattr(bootstrap, "install_torch", fail)
    assert bootstrap.main([]) == 1
    assert "torch could not be installed" in (message := capsys.readouterr().err)
    assert "no space left on device" in message
    assert not bootstrap.up_to_date()


def test_two_calls_at_once_install_once(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = []

    def make_venv() -> None:
        bootstrap.environment_python().parent.mkdir(parents=True)
        bootstrap.environment_python().touch()

    def install_torch(python: Path, log: Path) -> str:
        installed.append(threading.get_ident())
        time.sleep(0.2)
        return "2.13.0"

    monkeypatch.setattr(bootstrap, "make_venv", make_venv)
    monkeypatch.setattr(bootstrap, "install_torch", install_torch)
    monkeypatch.setattr(bootstrap, "install_project", lambda *arguments: None)
    threads = [threading.Thread(target=bootstrap.set_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(installed) == 1
    assert bootstrap.up_to_date()


def test_exit_codes_are_passed_on_at_once_when_nothing_is_to_do(bootstrap: ModuleType, tmp_path: Path) -> None:
    copy = tmp_path / "tools" / "bootstrap.py"
    copy.parent.mkdir()
    copy.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    python = bootstrap.environment_python()
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    bootstrap.stamp_path().write_text(bootstrap.fingerprint())

    def call(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, copy, *arguments], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    start = time.perf_counter()
    assert call() == (0, "")
    assert time.perf_counter() - start < 2  # 0.1 s on an idle machine
    show = "import os, sys; print(os.environ['VIRTUAL_ENV']); sys.exit(7)"
    assert call("--", "python", "-c", show) == (7, f"{tmp_path / '.venv'}\n")
    code, message = call("--", "nosuch-command")
    assert (code, "there is no command 'nosuch-command'" in message) == (1, True)
    assert call("hyperctr", "report")[0] == 2
