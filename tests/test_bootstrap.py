"""The set-up script, run on an empty project whose interpreters are shell scripts that record what they are asked."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent
VERSION = "{}.{}".format(*sys.version_info)
PROJECT = """
[project]
name = "hyperctr"
dependencies = ["torch>=2.8,<3", "torch-geometric>=2.7", "numpy>=2.0"]

[tool.ruff]
line-length = 110
"""
# Answers for torch's version, records any other call, fails where it holds a line of the file `fails`
INTERPRETER = """#!/bin/sh
folder=$(dirname "$0")/..
case "$*" in -c*) cat "$folder/torch" 2>/dev/null; exit ;; esac
echo "$*" >> "$folder/calls"
echo "installing $*"
[ "$2" = uv ] && sleep 0.2
while read -r word; do
  case "$*" in *"$word"*) echo "no space left on device"; exit 1 ;; esac
done < "$folder/fails"
case "$*" in *torch*) [ -e "$folder/torch" ] || echo 2.13.0+cpu > "$folder/torch" ;; esac
"""

WHAT = "-c requirements/constraints.txt -e .[all]"
DISK, UV = "pip install --no-index --no-deps torch>=2.8,<3", "pip install uv"
KEPT, RANGE = f"{WHAT} torch==2.13.0+cpu", f"{WHAT} torch>=2.8,<3"
AUTO = f"uv pip install --torch-backend=auto {RANGE}"


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # it may be a link to a real interpreter
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


class Machine:
    """A project with the script and an environment made for it, whose installers can be told to fail."""

    def __init__(self, root: Path, environment: Path) -> None:
        self.root, self.folder = root, environment
        self.script = root / "tools" / "bootstrap.py"
        self.script.parent.mkdir(parents=True)
        shutil.copy(ROOT / "tools" / "bootstrap.py", self.script)
        (root / "pyproject.toml").write_text(PROJECT)
        (root / "requirements").mkdir()
        (root / "requirements" / "constraints.txt").write_text("numpy==2.1.0\n")
        self.python = executable(environment / "bin" / "python", INTERPRETER)
        executable(environment / "bin" / "pip", "")
        (environment / "pyvenv.cfg").write_text(f"version = {VERSION}.0\ncommand = python -m venv {environment}\n")
        self.fail()

    def fail(self, *words: str) -> None:
        (self.folder / "fails").write_text("".join(f"{word}\n" for word in words))

    def load(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("bootstrap_under_test", self.script)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, self.script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def call(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.removeprefix("-m ").replace(f"--python {self.python} --compile-bytecode ", "") for line in lines]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in ("HYPERCTR_NO_VENV", "HYPERCTR_TORCH"):
        monkeypatch.delenv(name, raising=False)
    return Machine(tmp_path / "project", tmp_path / "project" / ".venv")


@pytest.fixture
def conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The current environment is one of the user's, and is to be used."""
    monkeypatch.delenv("HYPERCTR_TORCH", raising=False)
    monkeypatch.setenv("HYPERCTR_NO_VENV", "1")
    machine = Machine(tmp_path / "project", tmp_path / "conda")
    monkeypatch.setattr(sys, "prefix", str(machine.folder))
    monkeypatch.setattr(sys, "executable", str(machine.python))
    return machine


@pytest.mark.parametrize(
    ("fails", "calls"),
    [
        ((), [DISK, UV, f"uv pip install {KEPT}"]),
        (("install uv",), [DISK, UV, f"pip install {KEPT}"]),
        (("uv pip",), [DISK, UV, f"uv pip install {KEPT}", f"pip install {KEPT}"]),
        (("--no-index",), [DISK, UV, AUTO]),
        (("--no-index", "backend"), [DISK, UV, AUTO, f"pip install {RANGE}"]),
        (("--no-index", "install uv"), [DISK, UV, f"pip install {RANGE}"]),
    ],
)
def test_the_order_of_torch_choice(machine: Machine, fails: tuple[str, ...], calls: list[str]) -> None:
    machine.fail(*fails)
    code, said = machine.call()
    assert (code, machine.calls) == (0, calls)
    assert f"setting up {machine.folder}" in said and "torch 2.13.0+cpu" in said
    assert ("about 3 GB" in said) is (calls[-1] == f"pip install {RANGE}")


@pytest.mark.parametrize(
    ("version", "inside"),
    [(version, True) for version in ("2.8", "2.8.0+cpu", "2.11.0+cu128", "2.13.0.dev1")]
    + [(version, False) for version in ("2.7.9", "3.0", "3")],
)
def test_a_torch_within_the_bounds_stays(machine: Machine, version: str, inside: bool) -> None:
    (machine.folder / "torch").write_text(version)
    machine.fail("--no-index")
    assert machine.call()[0] == 0
    kept = [UV, f"uv pip install {WHAT} torch=={version}"]
    assert machine.calls == (kept if inside else [DISK, UV, AUTO])


def test_the_chosen_torch_goes_before_all_but_the_one_there(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_TORCH", "torch==2.11.* --pre")
    machine.fail("2.11")
    code, said = machine.call()
    assert (code, "HYPERCTR_TORCH='torch==2.11.* --pre' could not be installed" in said) == (1, True)
    machine.fail()
    assert machine.call()[0] == 0
    chosen = "pip install torch==2.11.* --pre"
    assert machine.calls == [chosen, chosen, UV, f"uv pip install {KEPT}"]
    (machine.folder / "hyperctr.stamp").unlink()
    assert machine.call()[0] == 0
    assert machine.calls[4:] == [UV, f"uv pip install {KEPT}"]


def test_the_users_own_environment_gets_the_libraries_by_pip_and_keeps_its_torch(conda: Machine) -> None:
    (conda.folder / "torch").write_text("2.11.0")
    script = conda.load()
    assert script.main([]) == script.main([]) == 0
    assert conda.calls == [f"pip install {WHAT} torch==2.11.0"]
    assert (conda.folder / "hyperctr.stamp").read_text() == script.fingerprint()
    assert not (conda.root / ".venv").exists()


def test_an_old_torch_of_the_users_own_environment_is_not_replaced(
    conda: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERCTR_TORCH", "torch==2.9")
    (conda.folder / "torch").write_text("2.7.1")
    with pytest.raises(SystemExit, match=r"conda holds torch 2\.7\.1, HyperCTR needs torch>=2\.8,<3: update it first"):
        conda.load().main([])
    assert conda.calls == []


def test_an_environment_that_cannot_be_written_is_told(conda: Machine) -> None:
    (conda.folder / "hyperctr-install.log").mkdir()
    with pytest.raises(SystemExit, match=f"cannot write into {conda.folder}: activate your own environment"):
        conda.load().main([])


def test_only_what_matters_sets_up_anew(machine: Machine) -> None:
    script, pyproject = machine.load(), machine.root / "pyproject.toml"
    before = script.fingerprint()
    pyproject.write_text(PROJECT.replace("110", "100"))
    assert script.fingerprint() == before
    pyproject.write_text(PROJECT.replace("numpy>=2.0", "numpy>=2.1"))
    assert script.fingerprint() != before
    pyproject.write_text(PROJECT)
    (machine.root / "requirements" / "constraints.txt").write_text("numpy==2.2.0\n")
    assert script.fingerprint() != before


def test_what_an_environment_depends_on_stands_above_the_settings_of_ruff() -> None:
    above, ruff, below = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\n[tool.ruff]")
    assert all(f"\n{table}" in f"\n{above}" for table in ("[build-system]", "[project]", "[project.scripts]"))
    assert re.search(r'"torch>=[\d.]+,<[\d.]+"', above)  # the bounds that the script reads
    assert ruff and not any(f"\n{table}" in below for table in ("[build", "[project", "[tool.hatch", "[tool.uv"))


def test_a_python_without_venv_is_told_what_to_type(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(machine.folder)
    broken = executable(machine.root / "python3", "#!/bin/sh\necho ensurepip is not available; exit 1\n")
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(SystemExit, match=rf"(?s)apt install python{VERSION}-venv.*It said: ensurepip is not available"):
        machine.load().main([])
    assert not machine.folder.exists()


def test_an_environment_is_made_anew_only_where_it_cannot_serve(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(machine.folder)
    script = machine.load()
    script.make_venv()  # a real one
    config, mark = machine.folder / "pyvenv.cfg", machine.folder / "mark"
    text, pip = config.read_text(encoding="utf-8"), machine.folder / "bin" / "pip"
    mark.touch()
    script.make_venv()
    assert mark.exists() and pip.exists()

    monkeypatch.setattr(sys, "executable", "true")  # makes nothing
    for break_it in [
        lambda: config.write_text(text.replace(f"version = {VERSION}", "version = 3.10")),
        # a folder that was moved: the scripts in it point to the old place
        lambda: config.write_text(text.replace(str(machine.root), "/elsewhere")),
        machine.python.unlink,  # its Python is gone
        pip.unlink,  # it was not finished
        config.unlink,
    ]:
        executable(machine.python, "")
        executable(pip, "")
        config.write_text(text)
        script.make_venv()
        assert machine.folder.exists()
        break_it()
        script.make_venv()
        assert not machine.folder.exists()


def test_a_failed_install_shows_the_installers_last_words_and_is_tried_again(machine: Machine) -> None:
    machine.fail("uv", "-e .[all]")
    code, said = machine.call()
    assert code == 1
    assert f"the libraries could not be installed. The last lines of {machine.folder}/hyperctr-install.log:" in said
    assert said.endswith(f"installing -m pip install {KEPT}\nno space left on device\n")
    machine.fail()
    code, said = machine.call("--", "true")
    assert (code, "ready in" in said) == (0, True)
    assert machine.call("--", "true") == (0, "")


def test_calls_at_once_install_once(machine: Machine) -> None:
    processes = [machine.start() for _ in range(3)]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert machine.calls == [DISK, UV, f"uv pip install {KEPT}"]
    assert sum("ready in" in text for text in said) == 1
    assert machine.call() == (0, "")


def test_an_older_python_hands_over_to_a_newer_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script, folder = machine.load(), machine.root / "newer"
    monkeypatch.setattr(script, "sys", SimpleNamespace(**{**vars(sys), "version_info": (3, 9, 2)}))
    monkeypatch.setenv("PATH", str(folder))
    assert script.main(["--", "pytest"]) == 2
    assert "needs Python 3.11 or newer" in capsys.readouterr().err
    executable(folder / "python3.12", f'#!/bin/sh\n[ "$*" = "{machine.script} -- pytest" ] && exit 5\n')
    assert script.main(["--", "pytest"]) == 5
    monkeypatch.setattr(script, "OWN_VENV", False)  # the user's environment is that of the older one
    assert script.main(["--", "pytest"]) == 2


def test_exit_codes_are_passed_on_at_once_when_nothing_is_to_do(machine: Machine) -> None:
    machine.python.unlink()
    machine.python.symlink_to(sys.executable)
    (machine.folder / "hyperctr.stamp").write_text(machine.load().fingerprint())
    start = time.perf_counter()
    assert machine.call() == (0, "")
    assert time.perf_counter() - start < 2  # 0.1 s on an idle machine
    show = "import os, sys; print(os.environ['VIRTUAL_ENV'], os.environ['PATH'].split(os.pathsep)[0]); sys.exit(7)"
    assert machine.call("--", "python", "-c", show) == (7, f"{machine.folder} {machine.folder / 'bin'}\n")
    missing = f"hyperctr: there is no command 'nosuch-command' in {machine.folder / 'bin'}\n"
    assert machine.call("--", "nosuch-command") == (1, missing)
    assert machine.call("hyperctr", "report")[0] == 2


def test_a_stop_is_no_traceback(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    script = machine.load()
    monkeypatch.setattr(script, "install", lambda: os.kill(os.getpid(), signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore Ctrl-C
    try:
        assert script.main([]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert not (machine.folder / "hyperctr.stamp").exists()
