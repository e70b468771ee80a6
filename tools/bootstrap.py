"""Set up ``.venv`` on a bare machine, then run a command in it. Standard library only.

    python3 tools/bootstrap.py                          set up, or find that nothing is to do (0.1 s)
    python3 tools/bootstrap.py -- hyperctr report       set up, then run a command of the environment
    HYPERCTR_NO_VENV=1 python3 tools/bootstrap.py       use the current environment (conda), make none
    HYPERCTR_TORCH="torch==2.11.*" python3 tools/...    choose the torch to install

torch is installed first and alone: a plain install of the project would fetch gigabytes of CUDA libraries
onto machines that have no GPU. The order of choice is in ``install_torch``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEWEST, OLDEST = 14, 11  # minor versions of Python 3 that are looked for and needed
EXTRAS, CONSTRAINTS = "all", "requirements/constraints.txt"


class SetupError(Exception):
    """Setting up cannot go on; the message says what to type."""


def say(text: str) -> None:
    """Tell the user what happens, on stderr: a command's own output stays clean."""
    print(f"hyperctr: {text}", file=sys.stderr, flush=True)


def read(name: str) -> str:
    """Return the text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


# --- which environment ----------------------------------------------------------------------------


def uses_own_venv() -> bool:
    """Tell whether ``.venv`` is to be made, rather than the current environment used."""
    return os.environ.get("HYPERCTR_NO_VENV", "") in ("", "0")


def environment_python() -> Path:
    """Return the interpreter of the environment that commands run in."""
    if not uses_own_venv():
        return Path(sys.executable)
    return ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_path() -> Path:
    """Return the file that records what the environment was last set up from."""
    if uses_own_venv():
        return ROOT / ".venv" / "hyperctr.stamp"
    return Path(sys.prefix) / f"hyperctr-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}.stamp"


def fingerprint() -> str:
    """Hash what an environment depends on: metadata, constraints, interpreter and path."""
    tables = re.split(r"^(?=\[)", read("pyproject.toml"), flags=re.MULTILINE)
    # settings of ruff, mypy and pytest may change without a new install
    lasting = [table for table in tables if not re.match(r"\[+tool\.(?!hatch)", table)]
    place = f"{ROOT}|{EXTRAS}|{platform.python_version()}|{uses_own_venv()}"
    return hashlib.sha256("".join([*lasting, read(CONSTRAINTS), place]).encode()).hexdigest()


def up_to_date() -> bool:
    """Tell whether the environment is there and was set up from the present files."""
    try:
        return environment_python().exists() and stamp_path().read_text(encoding="utf-8") == fingerprint()
    except OSError:
        return False


def make_venv() -> None:
    """Create ``.venv``, or keep the one that is there unless it was made for another place or Python."""
    folder, python, version = ROOT / ".venv", environment_python(), "{}.{}".format(*sys.version_info)
    if folder.exists():
        answer = query(python, "import pip, sys; print('%d.%d' % sys.version_info[:2], sys.prefix)")
        pip = python.with_name("pip")  # a script that names the folder it was made for
        moved = pip.exists() and str(folder) not in pip.read_text(encoding="utf-8", errors="replace")
        if answer == f"{version} {folder}" and not moved:
            return
        say(f"{folder} was made by another Python or in another place: making it anew")
        shutil.rmtree(folder)
    result = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True)
    if result.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(
            f"{sys.executable} cannot make a virtual environment; on Debian and Ubuntu type\n"
            f"    apt install python{version}-venv\n"
            "and try again; with conda use `conda env create -f environment.yml` and HYPERCTR_NO_VENV=1.\n"
            f"It said: {(result.stderr or result.stdout).strip()[-600:]}"
        )


# --- installing -----------------------------------------------------------------------------------


def query(python: Path, code: str) -> str:
    """Return what one line of Python prints in the environment, or nothing when it fails."""
    try:
        result = subprocess.run([str(python), "-c", code], capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def attempt(python: Path, log: Path, installer: str, *arguments: object) -> bool:
    """Install by ``pip`` or ``uv``, keep what it says in ``log``, and tell whether it succeeded."""
    start = ["pip", "install"] if installer == "pip" else ["uv", "pip", "install", "--python", python]
    command = [str(part) for part in (python, "-m", *start, *arguments)]
    with open(log, "a", encoding="utf-8") as out:
        out.write(f"\n$ {' '.join(command)}\n")
        out.flush()
        try:
            return subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT).returncode == 0
        except OSError as error:
            out.write(f"{error}\n")
            return False


def torch_requirement() -> str:
    """Return the bounds that pyproject.toml sets for torch, such as ``torch>=2.8,<3``."""
    (bounds,) = re.findall(r'"(torch[<>=!~][^"]*)"', read("pyproject.toml"))
    return str(bounds)


def satisfies(version: str, requirement: str) -> bool:
    """Tell whether a version lies within ``name>=low,<high``.

    >>> satisfies("2.13.0+cpu", "torch>=2.8,<3"), satisfies("2.7.1", "torch>=2.8,<3")
    (True, False)
    """
    release = tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])
    for relation, bound in re.findall(r"(>=|<)\s*([\d.]+)", requirement):
        limit = tuple(int(part) for part in bound.split("."))
        if (release < limit) == (relation == ">="):
            return False
    return True


def installed_torch(python: Path) -> str:
    """Return the version of the torch in the environment, or nothing."""
    return query(python, "import importlib.metadata as m; print(m.version('torch'))")


def install_torch(python: Path, log: Path) -> str:
    """Install a torch that fits the machine, unless there is one, and return its version.

    In this order: the torch that is there; ``HYPERCTR_TORCH``; a wheel that pip is configured to find on
    disk; on Linux without an NVIDIA driver the CPU build; else what the registry gives (CUDA on Linux).
    """
    wanted = torch_requirement()
    version = installed_torch(python)
    if version and satisfies(version, wanted):
        return version
    if version and not uses_own_venv():
        raise SetupError(f"this environment holds torch {version}, HyperCTR needs {wanted}: update it first")

    chosen = os.environ.get("HYPERCTR_TORCH")
    if chosen:
        say(f"installing {chosen} (HYPERCTR_TORCH)")
        if not attempt(python, log, "pip", *chosen.split()):
            raise SetupError(f"HYPERCTR_TORCH={chosen!r} could not be installed")
        return installed_torch(python)

    if attempt(python, log, "pip", "--no-index", "--no-deps", wanted):
        return installed_torch(python)
    if sys.platform.startswith("linux") and not shutil.which("nvidia-smi"):
        say("installing the CPU build of torch, about 200 MB (no NVIDIA driver found)")
        if attempt(python, log, "pip", "uv") and attempt(python, log, "uv", "--torch-backend=cpu", wanted):
            return installed_torch(python)
        say("the CPU build cannot be had here: falling back to the registry's torch")
    if sys.platform.startswith("linux"):
        say("installing torch with its CUDA libraries: about 3 GB are downloaded")
    if not attempt(python, log, "pip", wanted):
        raise SetupError(f"{wanted} could not be installed")
    return installed_torch(python)


def install_project(python: Path, log: Path, torch: str) -> None:
    """Install the project, editable, with its extras, and leave the chosen torch as it is."""
    pin = log.with_name("hyperctr-torch.txt")
    pin.write_text(f"torch=={torch}\n", encoding="utf-8")
    what = ("-c", ROOT / CONSTRAINTS, "-c", pin, "-e", f"{ROOT}[{EXTRAS}]")
    say("installing the libraries (about a minute; 1 GB)")
    # uv takes half the time; it reads none of pip's settings, so wherever it fails pip has the last word
    fast = uses_own_venv() and attempt(python, log, "pip", "uv")
    if fast and attempt(python, log, "uv", "--compile-bytecode", *what):
        return
    if not attempt(python, log, "pip", *what):
        raise SetupError("the libraries could not be installed")


def set_up() -> None:
    """Bring the environment up to date; one process at a time, others wait and find the work done."""
    if up_to_date():
        return
    with lock():
        if up_to_date():
            return
        started = time.monotonic()
        if uses_own_venv():
            make_venv()
        python, stamp = environment_python(), stamp_path()
        log = stamp.with_name("hyperctr-install.log")
        try:
            stamp.unlink(missing_ok=True)
            log.write_text("", encoding="utf-8")
        except OSError as error:
            raise SetupError(f"cannot write into {stamp.parent}: activate your own environment") from error
        say(f"setting up {stamp.parent} (once; what the installers say is in {log})")
        try:
            torch = install_torch(python, log)
            install_project(python, log, torch)
        except SetupError as error:
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
            raise SetupError(f"{error}. The last lines of {log}:\n{tail}") from error
        stamp.write_text(fingerprint(), encoding="utf-8")  # a torn stamp equals no fingerprint
        say(f"ready in {time.monotonic() - started:.0f} s, torch {torch}")


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """Hold ``.venv.lock``; the system frees it when the process ends, however it ends."""
    with open(ROOT / ".venv.lock", "w", encoding="utf-8") as file:
        if os.name == "nt":
            yield  # pip itself fails readably on files in use
            return
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another process is setting up this environment: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


# --- running --------------------------------------------------------------------------------------


def command_line(command: Sequence[str]) -> list[str]:
    """Return the command with its program looked up in the environment."""
    python = environment_python()
    if command[0] in ("python", "python3"):
        return [str(python), *command[1:]]
    found = shutil.which(command[0], path=str(python.parent)) or shutil.which(command[0])
    if not found:
        raise SetupError(f"there is no command {command[0]!r} in {python.parent}")
    return [found, *command[1:]]


def run(command: Sequence[str]) -> int:
    """Run a command in the environment; its exit code is ours."""
    line, python = command_line(command), environment_python()
    environment = dict(os.environ, PATH=f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uses_own_venv():
        environment["VIRTUAL_ENV"] = str(ROOT / ".venv")
    environment.pop("PYTHONHOME", None)
    if os.name == "nt":
        return subprocess.call(line, env=environment)
    os.execve(line[0], line, environment)


def main(arguments: Sequence[str]) -> int:
    """Set up, then run what stands after ``--``."""
    if arguments and arguments[0] != "--":
        print(__doc__, file=sys.stdout if arguments[0] in ("-h", "--help") else sys.stderr)
        return 0 if arguments[0] in ("-h", "--help") else 2
    if sys.version_info < (3, OLDEST):
        newer = map(shutil.which, (f"python3.{minor}" for minor in range(NEWEST, OLDEST - 1, -1)))
        other = next(filter(None, newer), None)
        if other is None or not uses_own_venv():
            say(f"needs Python 3.{OLDEST} or newer; {sys.executable} is {platform.python_version()}")
            return 2
        return subprocess.call([other, __file__, *arguments])
    try:
        set_up()
        return run(arguments[1:]) if len(arguments) > 1 else 0
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped; the next call goes on")
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
