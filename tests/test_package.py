"""Wheel and sdist hold all that is read at run time; the wheel works without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import hyperctr

pytest.importorskip("hatchling", reason="the extra dev is not installed")

ROOT = Path(__file__).parent.parent
# what the installed copy is asked: it prints what a checkout would have to hand
ASKED = """
import json
import hyperctr as hc
from hyperctr.paper.numbers import published_statistics
from hyperctr.report.notebooks import find_notebooks
from hyperctr.sweeps.plan import open_plan

data = hc.load_dataset("planted", num_users=40, num_items=60, num_interactions=600, months=6)
H = hc.Hypergraph.of({"cats": ["ann", "bob"], "dogs": ["bob", "cid"]})
H.to_hif("pets.json")  # needs the schema
inspector = hc.Inspector(data)  # needs its templates, script and style
print(json.dumps({
    "place": hc.__file__,
    "clicks": int(data.clicked.sum()),
    "hyperedges": [str(name) for name in hc.Hypergraph.from_hif("pets.json").hyperedge_ids],
    "notebooks": [str(book.path) for book in find_notebooks(None, None)[0]],
    "users": published_statistics("movielens-10m")["users"],
    "runs": len(open_plan("layers", "planted", "smoke").runs),
    "script": len(str(inspector._esm)),
    "style": len(str(inspector._css)),
}))
"""


def run(*command: object, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HYPERCTR"))}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def build(source: Path, out: Path, kind: str) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", out, cwd=source)
    (made,) = out.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


def test_a_wheel_made_of_the_sdist_is_the_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build(ROOT, tmp_path, "sdist")
    assert sdist.name == f"hyperctr-{hyperctr.__version__}.tar.gz"
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    again = build(tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path, "wheel")
    contents = [{info.filename: info.CRC for info in zipfile.ZipFile(path).infolist()} for path in (wheel, again)]
    assert contents[0] == contents[1]


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(["git", "ls-files", "hyperctr"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    if not tracked:
        pytest.skip("not in a checkout of git")
    assert [name for name in tracked if name not in names] == []
    assert not [name for name in names if name.startswith(("tests/", "tools/")) or name.endswith(".pyc")]


def test_the_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    paths = {"base": str(tmp_path / "env"), "platbase": str(tmp_path / "env")}
    scripts, packages = (Path(sysconfig.get_path(name, "venv", paths)) for name in ("scripts", "purelib"))
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    # what it needs is that of this environment, but for the checkout, which only a .pth in there names
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    assert run(scripts / "hyperctr", "--version", cwd=tmp_path) == f"hyperctr {hyperctr.__version__}\n"

    told = json.loads(run(python, "-c", ASKED, cwd=tmp_path).splitlines()[-1])
    assert Path(told["place"]).is_relative_to(packages)
    assert told["hyperedges"] == ["cats", "dogs"] and told["users"] > 1000 and 0 < told["clicks"] < 600
    assert [Path(path).name for path in told["notebooks"]] == sorted(p.name for p in ROOT.glob("notebooks/*.ipynb"))
    assert all(Path(path).is_relative_to(packages) for path in told["notebooks"])
    assert told["runs"] > 1 and told["script"] > 10_000 and told["style"] > 1_000
