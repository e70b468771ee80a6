"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of genuine development data: ``HYPERCTR_SHARED``, else ``shared`` beside the checkout."""
    named = os.environ.get("HYPERCTR_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared data in {folder}; set HYPERCTR_SHARED to the folder that holds them")
    return folder
