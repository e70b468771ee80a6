"""The doctor tells what is broken, what is only missing, and the line to type."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hyperctr import doctor
from hyperctr.cli import main
from hyperctr.doctor import Finding


def by_subject(findings: Any) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def test_a_whole_install_is_healthy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["doctor", "--data-dir", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "The install works."
    for subject in ("python", "torch", "torch-geometric", "papermill", "plotly", "jupyterlab", "device", "threads"):
        assert any(line[2:].startswith(subject) for line in lines), subject
    assert any(line.split() == ["data", "planted", "ready"] for line in lines)
    assert any(line.split()[:2] == ["data", "directory"] and str(tmp_path) in line for line in lines)


def test_missing_and_old_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [("torch", "2.8", "core"), ("numpy", "2.0", "core"), ("plotly", "7", "report"), ("tqdm", "4", "core")]
    versions = {"numpy": "1.26.4", "tqdm": "4.67.1"}

    def version(name: str) -> str:
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(doctor, "requirements", lambda: wanted)
    monkeypatch.setattr(importlib.metadata, "version", version)
    found = by_subject(doctor.packages())
    python = sys.executable
    assert found["torch"] == Finding("torch", "missing (needed)", "broken", f"{python} -m pip install 'torch>=2.8'")
    assert found["numpy"].state == "broken"
    assert found["numpy"].value == "1.26.4 is older than 2.0"
    assert found["plotly"].state == "note"
    assert found["plotly"].remedy == f"{python} -m pip install 'plotly>=7'"
    assert found["tqdm"] == Finding("tqdm", "4.67.1")
    assert not doctor.healthy(list(found.values()))


def test_requirements_come_from_the_checkout_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    found = {name: (floor, extra) for name, floor, extra in doctor.requirements()}
    assert found["torch"] == ("2.8", "core")
    assert found["plotly"] == ("7", "report")
    assert "pytest" not in found  # developers' tools are nobody else's problem


def fake_torch(monkeypatch: pytest.MonkeyPatch, cuda_build: str | None) -> None:
    cuda = SimpleNamespace(is_available=lambda: False)
    mps = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
    fake = SimpleNamespace(
        version=SimpleNamespace(cuda=cuda_build),
        cuda=cuda,
        backends=mps,
        device=lambda name: SimpleNamespace(type=name, __str__=lambda: name),
        get_num_threads=lambda: 1,
        __version__="2.13.0",
    )
    monkeypatch.delenv("HYPERCTR_DEVICE", raising=False)
    monkeypatch.setitem(sys.modules, "torch", fake)  # type: ignore[arg-type]


def test_a_gpu_that_lies_idle_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    fake_torch(monkeypatch, cuda_build=None)
    found = by_subject(doctor.device())
    assert found["GPU"].state == "note"
    assert "torch is a CPU build" in found["GPU"].value
    assert "--force-reinstall" in found["GPU"].remedy
    fake_torch(monkeypatch, cuda_build="13.0")
    assert "torch sees no GPU" in by_subject(doctor.device())["GPU"].value
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "GPU" not in by_subject(doctor.device())


def test_a_torch_that_does_not_start_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (finding,) = doctor.device()
    assert finding.state == "broken"


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERCTR_DEVICE", "tpu")
    found = by_subject(doctor.device())
    assert found["device"].state == "broken"
    assert "'tpu'" in found["device"].value


def test_the_browser_is_optional(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    (finding,) = doctor.browser()
    assert (finding.state, finding.remedy) == ("note", "apt-get install chromium")
    chrome = tmp_path / "chrome"
    chrome.touch()
    monkeypatch.setenv("BROWSER_PATH", str(chrome))
    assert next(doctor.browser()) == Finding("browser", str(chrome))


def test_a_kernel_that_points_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    kernelspec = pytest.importorskip("jupyter_client.kernelspec")
    argv = SimpleNamespace(argv=["/gone/python", "-m", "ipykernel_launcher"])
    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", lambda self, name: argv)
    (finding,) = doctor.kernel()
    assert finding.state == "note"
    assert "/gone/python, which does not exist" in finding.value


def test_data_that_lie_in_the_folder_are_found(tmp_path: Path) -> None:
    found = by_subject(doctor.data(tmp_path))
    assert (found["data table"].value, found["data kuaishou"].value) == ("not here", "not here")
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\n")
    assert by_subject(doctor.data(tmp_path))["data table"].value == f"ready, in {tmp_path}"


def test_an_install_that_cannot_work_exits_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda data_dir: [Finding("torch", "missing", "broken", "pip ...")])
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "X torch" in out
    assert "-> pip ..." in out
