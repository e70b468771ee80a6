"""Runs of later tests are forked from a process that knows torch, though notebooks alone would not need it."""

from __future__ import annotations

import pytest

from hyperctr.executor import Executor


@pytest.fixture(scope="session", autouse=True)
def _import_torch_once() -> None:
    with Executor() as executor:
        executor.start("first", int)
        executor.wait()
