"""Set up ``.venv`` on a bare machine, then run a command in it. Standard library only.

    python3 tools/bootstrap.py                          set up, or find that nothing is to do (0.1 s)
    python3 tools/bootstrap.py -- hyperctr report       set up, then run a command of the environment
    HYPERCTR_NO_VENV=1 python3 tools/bootstrap.py       use the current environment (conda), make none
    HYPERCTR_TORCH="torch==2.11.*" python3 tools/...    choose the torch to install

uv installs; here stands what it cannot do, such as coming to a bare machine and reading pip's settings.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

NEWEST, OLDEST = 14, 11  # minor versions of Python 3 that are looked for and needed
ROOT = Path(__file__).resolve().parent.parent
OWN_VENV = os.environ.get("HYPERCTR_NO_VENV", "") in ("", "0")
FOLDER = ROOT / ".venv" if OWN_VENV else Path(sys.prefix)
PYTHON = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python") if OWN_VENV else Path(sys.executable)
STAMP, LOG = FOLDER / "hyperctr.stamp", FOLDER / "hyperctr-install.log"


def say(text: str) -> None:
    """Tell the user what happens, on stderr: a command's own output stays clean."""
    print(f"hyperctr: {text}", file=sys.stderr, flush=True)


def fingerprint() -> str:
    """Hash what an environment depends on: metadata, constraints, interpreter and place."""
    metadata = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\n[tool.ruff]")[0]
    constraints = (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8")
    return hashlib.sha256(f"{metadata}{constraints}{platform.python_version()}{ROOT}{FOLDER}".encode()).hexdigest()


def up_to_date() -> bool:
    """Tell whether the environment is there and was set up from the present files."""
    try:
        return PYTHON.exists() and STAMP.read_text(encoding="utf-8") == fingerprint()
    except OSError:
        return False


def make_venv() -> None:
    """Create ``.venv``, or keep the one that is there unless it was made for another place or Python."""
    version = "{}.{}".format(*sys.version_info)
    if FOLDER.exists():
        config, pip = FOLDER / "pyvenv.cfg", shutil.which("pip", path=str(PYTHON.parent))  # pip comes last
        made_by = config.read_text(encoding="utf-8") if PYTHON.exists() and pip and config.exists() else ""
        if f"version = {version}." in made_by and f"-m venv {FOLDER}\n" in made_by:
            return
        say(f"{FOLDER} was made by another Python or in another place: making it anew")
        shutil.rmtree(FOLDER)
    result = subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], capture_output=True, text=True)
    if result.returncode:
        shutil.rmtree(FOLDER, ignore_errors=True)
        raise SystemExit(
            f"hyperctr: {sys.executable} cannot make a virtual environment; on Debian and Ubuntu type\n"
            f"    apt install python{version}-venv\n"
            "and try again; with conda use `conda env create -f environment.yml` and HYPERCTR_NO_VENV=1.\n"
            f"It said: {(result.stderr or result.stdout).strip()[-600:]}"
        )


def attempt(*command: object, needed: str = "") -> bool:
    """Run an installer and tell whether it succeeded; if not, and it was ``needed``, stop with its last words."""
    with LOG.open("a", encoding="utf-8") as out:
        print("\n$", *command, file=out, flush=True)
        done = subprocess.run([*map(str, command)], stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
    if done.returncode and needed:
        tail = "\n".join(LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
        raise SystemExit(f"hyperctr: {needed} could not be installed. The last lines of {LOG}:\n{tail}")
    return done.returncode == 0


def installed_torch() -> str:
    """Return the version of the torch in the environment, or nothing."""
    code = "import importlib.metadata as m; print(m.version('torch'))"
    return subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True).stdout.strip()


def release(version: str) -> list[int]:
    """Return the numbers of a version, to compare: ``2.13.0+cpu`` is ``[2, 13, 0]``."""
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]


def install() -> None:
    """Install the project, editable, with all it can use.

    A torch that is there stays. Else it is ``HYPERCTR_TORCH``, or a wheel that pip is configured to find on disk, or
    what uv takes for the machine, CPU or CUDA. uv reads none of pip's settings: where it fails, pip has the last word.
    """
    ((low, high),) = re.findall(r'"torch>=([\d.]+),<([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    torch, wanted, chosen = installed_torch(), f"torch>={low},<{high}", os.environ.get("HYPERCTR_TORCH", "")
    pip, uv = (PYTHON, "-m", "pip", "install"), (PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON)
    if not release(low) <= release(torch) < release(high):
        if torch and not OWN_VENV:
            raise SystemExit(f"hyperctr: {FOLDER} holds torch {torch}, HyperCTR needs {wanted}: update it first")
        if chosen:
            attempt(*pip, *chosen.split(), needed=f"HYPERCTR_TORCH={chosen!r}")
        torch = installed_torch() if chosen or attempt(*pip, "--no-index", "--no-deps", wanted) else ""

    what = ["-c", "requirements/constraints.txt", "-e", ".[all]", f"torch=={torch}" if torch else wanted]
    # a torch that is there needs no backend, whose index may be out of reach
    backend = [] if torch else ["--torch-backend=auto"]
    say("installing the libraries (about a minute, 1 GB)" + ("" if torch else " and the torch for this machine"))
    if OWN_VENV or not torch:
        if attempt(*pip, "uv") and attempt(*uv, "--compile-bytecode", *backend, *what):
            return
        say("uv did not succeed: pip goes on" + ("" if torch else "; on Linux its torch brings CUDA, about 3 GB"))
    attempt(*pip, *what, needed="the libraries")


def set_up() -> None:
    """Bring the environment up to date; one process at a time, others wait and find the work done."""
    if up_to_date():
        return
    with open(ROOT / ".venv.lock", "w", encoding="utf-8") as lock:
        if os.name != "nt":  # there pip itself fails readably on files in use
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("another process is setting up this environment: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
        if up_to_date():
            return
        started = time.monotonic()
        if OWN_VENV:
            make_venv()
        try:
            STAMP.unlink(missing_ok=True)
            LOG.write_text("", encoding="utf-8")
        except OSError as error:
            raise SystemExit(f"hyperctr: cannot write into {FOLDER}: activate your own environment") from error
        say(f"setting up {FOLDER} (once; what the installers say is in {LOG})")
        install()
        STAMP.write_text(fingerprint(), encoding="utf-8")  # a torn stamp equals no fingerprint
        say(f"ready in {time.monotonic() - started:.0f} s, torch {installed_torch()}")


def run(command: list[str]) -> int:
    """Run a command in the environment; its exit code is ours."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    variables["PATH"] = f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    if OWN_VENV:
        variables["VIRTUAL_ENV"] = str(FOLDER)
    program = shutil.which(command[0], path=variables["PATH"])
    if not program:
        raise SystemExit(f"hyperctr: there is no command {command[0]!r} in {PYTHON.parent}")
    if os.name == "nt":
        return subprocess.call([program, *command[1:]], env=variables)
    os.execve(program, [program, *command[1:]], variables)


def main(arguments: list[str]) -> int:
    """Set up, then run what stands after ``--``."""
    if arguments and arguments[0] != "--":
        print(__doc__, file=sys.stdout if arguments[0] in ("-h", "--help") else sys.stderr)
        return 0 if arguments[0] in ("-h", "--help") else 2
    if sys.version_info < (3, OLDEST):
        names = (f"python3.{minor}" for minor in range(NEWEST, OLDEST - 1, -1))
        other = next(filter(None, map(shutil.which, names)), None)
        if other is None or not OWN_VENV:
            say(f"needs Python 3.{OLDEST} or newer; {sys.executable} is {platform.python_version()}")
            return 2
        return subprocess.call([other, __file__, *arguments])
    try:
        set_up()
        return run(arguments[1:]) if len(arguments) > 1 else 0
    except KeyboardInterrupt:
        say("stopped; the next call goes on")
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
