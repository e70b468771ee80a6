"""The process that runs are forked from: it has imported torch and read the data once, so a run starts in milliseconds.

``python -m hyperctr.sweeps.server`` reads one JSON message a line on stdin, ``{"start": JOB}`` or ``{"stop": ID}``, and
answers on stdout with ``{"ready": ...}``, ``{"started": ID, "pid": N}`` and ``{"ended": ID, "exit": N,
"peak_memory_mib": X}`` (a negative exit is the signal that ended it). It is a program of its own, not a start method of
:mod:`multiprocessing`, which would import the user's main module again in every run and cannot tell the peak memory of
a process that was killed. When the sweep dies, stdin ends, and the server ends its runs and itself.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from typing import Any

PATIENCE_SECONDS = 0.05  # between looking for messages and looking for ended runs


class Server:
    """Forks a process per job and reports how it ended.

    Args:
        answers: file descriptor that answers are written to.
    """

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.running: dict[int, str] = {}

    def serve(self) -> None:
        """Carry out messages until stdin ends."""
        self._say(ready={"cuda": _count_gpus()})
        waiting = b""
        while True:
            readable, _, _ = select.select([0], [], [], PATIENCE_SECONDS if self.running else None)
            if readable:
                received = os.read(0, 1 << 16)
                if not received:
                    return self._kill()
                *lines, waiting = (waiting + received).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
            self._reap()

    def _obey(self, message: dict[str, Any]) -> None:
        if "stop" in message:
            for pid, name in self.running.items():
                if name == message["stop"]:
                    os.kill(pid, getattr(signal, message.get("signal", "SIGTERM")))
            return
        job = message["start"]
        _read_ahead(job)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(self.answers)
            _become(job)
        self.running[pid] = job["id"]
        self._say(started=job["id"], pid=pid)

    def _kill(self) -> None:
        """End all runs at once: their sweep is gone, and another one may be waiting to go on with them."""
        for pid in self.running:
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self.running:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            unit = 1 if sys.platform == "darwin" else 1024
            code, peak = os.waitstatus_to_exitcode(status), round(usage.ru_maxrss * unit / 2**20, 1)
            self._say(ended=self.running.pop(pid), exit=code, peak_memory_mib=peak)

    def _say(self, **answer: Any) -> None:
        os.write(self.answers, json.dumps(answer).encode() + b"\n")


def _read_ahead(job: dict[str, Any]) -> None:
    """Read the job's data here, once, so that all runs share the memory; the run itself reports what goes wrong."""
    from hyperctr.sweeps.worker import read_data

    try:
        if job.get("data"):
            read_data(job["data"])
    except Exception:
        return


def _become(job: dict[str, Any]) -> None:
    """Carry out the job in this forked process, and end it."""
    from hyperctr.sweeps.worker import carry_out

    code = 1
    try:
        signal.set_wakeup_fd(-1)
        with open(os.devnull) as nothing:
            os.dup2(nothing.fileno(), 0)
        code = carry_out(job)
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _count_gpus() -> int:
    """Count CUDA devices in a process of its own: a process that has looked at CUDA can fork none that use it."""
    pid = os.fork()
    if pid == 0:
        count = 0
        try:
            import torch

            count = torch.cuda.device_count()
        finally:
            os._exit(count)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Import what runs need, then serve."""
    answers = os.dup(1)
    os.dup2(2, 1)  # nothing that a library prints gets between the answers
    os.set_inheritable(answers, False)
    import torch

    import hyperctr.runs.experiment  # noqa: F401  (this is the point of the server: it is imported once)

    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])  # the first optimiser imports another second's worth
    Server(answers).serve()


if __name__ == "__main__":
    main()
