"""A JupyterLab server on loopback, with a token, and a Chromium that looks at it: for browser tests and benchmarks."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
PANELS = ".hctr[data-view=panels]"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def find_browser() -> str | None:
    """Path of a Chromium or Chrome, None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def need_browser() -> None:
    """Skip a test where Playwright, JupyterLab or the browser is missing, and say which."""
    pytest.importorskip("playwright", reason="no playwright: pip install 'hyperctr[dev]'")
    pytest.importorskip("jupyterlab", reason="no JupyterLab: pip install 'hyperctr[notebook]'")
    if find_browser() is None:
        pytest.skip("no Chromium or Chrome found")


@contextmanager
def jupyterlab(folder: Path, **environment: str) -> Iterator[str]:
    """Serve ``folder``; yields an address with ``{path}`` to fill in, which carries the token.

    Settings, workspaces and kernels live in ``folder/.jupyter``; on leaving, server and kernels are gone.
    """
    home = folder / ".jupyter"
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
    )
    places = {name: str(home / name.lower()) for name in names}
    quiet = Path(places["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab/apputils-extension"
    quiet.mkdir(parents=True)  # no news pop-up over the page
    settings = {"fetchNews": "false", "checkForUpdates": False}
    (quiet / "notification.jupyterlab-settings").write_text(json.dumps(settings))
    widgets = Path(places["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyter-widgets/jupyterlab-manager"
    widgets.mkdir(parents=True)
    (widgets / "plugin.jupyterlab-settings").write_text('{"saveState": true}')  # the worst case for a notebook's size
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    line = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
    ]
    python = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    variables = {**os.environ, **places, "PYTHONPATH": python, "OMP_NUM_THREADS": "1", **environment}
    variables.pop("HYPERCTR_BATCH", None)
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(line, stdout=log, stderr=log, env=variables, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_up(f"{address}/api/status?token={token}", server, folder / "lab.log")
        yield f"{address}/{{path}}?reset&token={token}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # its kernels too
        server.wait(20)


def _wait_until_up(status: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(status, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def write_notebook(path: Path, *cells: str) -> Path:
    """Write a notebook of code cells for the kernel that runs us."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(book, path)
    return path


class Lab:
    """One notebook in one browser page; every wait is for a state."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address

    def open(self, name: str) -> None:
        """Open a notebook and wait for its kernel."""
        self.page.goto(self.address.format(path=f"lab/tree/{name}"))
        self.page.wait_for_selector(".jp-Notebook", timeout=60_000)
        self.page.wait_for_function(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=60_000
        )

    def command(self, name: str) -> None:
        """Execute a command of JupyterLab without waiting for its end."""
        self.page.evaluate("name => { jupyterapp.commands.execute(name); }", name)

    def python(self, code: str) -> str:
        """Run code in the notebook's kernel, return what it prints; raises with the traceback if it fails."""
        answer = self.page.evaluate(
            """async code => {
                const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({ code, store_history: false });
                let text = "", error = "";
                future.onIOPub = (message) => {
                    if (message.header.msg_type === "stream") text += message.content.text;
                    if (message.header.msg_type === "error") error = message.content.traceback.join("\\n");
                };
                await future.done;
                return [text, error];
            }""",
            code,
        )
        if answer[1]:
            raise RuntimeError(answer[1])
        return str(answer[0]).strip()


@contextmanager
def chromium(**options: Any) -> Iterator[Any]:
    """A browser page that can reach nothing but loopback and notes console errors in ``page.errors``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=SWITCHES)
        context = browser.new_context(viewport={"width": 1480, "height": 1100}, accept_downloads=True, **options)
        context.route("**/*", lambda route: _only_loopback(route))
        page = context.new_page()
        page.errors = []
        page.on("pageerror", lambda error: _of_jupyterlab(str(error)) or page.errors.append(str(error)))
        page.set_default_timeout(30_000)
        try:
            yield page
        finally:
            browser.close()


def _of_jupyterlab(error: str) -> bool:
    """JupyterLab redraws outputs and cells with removeChild, at times twice; the front end does not call it."""
    return error.startswith("Failed to execute 'removeChild' on 'Node'")


def _only_loopback(route: Any) -> None:
    if route.request.url.startswith(("http://127.0.0.1", "data:", "blob:")):
        route.continue_()
    else:
        route.abort()


def after_scene(page: Any, act: Any, test: str) -> None:
    """Do something, then wait until the scene that came of it is drawn: ``test`` is JavaScript over it, as ``s``."""
    act()
    page.wait_for_function(
        "test => { const s = document.querySelector('.hctr').inspector.state.scene;"
        " return new Function('s', 'return ' + test)(s); }",
        arg=test,
    )


def until(lab: Lab, code: str, expected: str) -> None:
    """Ask the kernel until it prints what is expected: it hears of a click after the page has drawn it."""
    end = time.monotonic() + 20
    while (printed := lab.python(f"print({code})")) != expected and time.monotonic() < end:
        pass
    assert printed == expected


def over(page: Any, place: tuple[float, float]) -> tuple[float, float]:
    """Place on the page of a place on the canvas."""
    box = page.locator(".hc-over").bounding_box()
    return box["x"] + place[0], box["y"] + place[1]


def placed(page: Any) -> dict[str, Any]:
    """Where the view shown has put things, pixels of the canvas."""
    places: dict[str, Any] = json.loads(
        page.evaluate("JSON.stringify(document.querySelector('.hctr').inspector.placed())")
    )
    return places


def drag(page: Any, *points: tuple[float, float]) -> None:
    """Drag over the canvas, from point to point."""
    page.mouse.move(*over(page, points[0]))
    page.mouse.down()
    for before, after in pairwise(points):
        page.mouse.move(*over(page, ((before[0] + after[0]) / 2, (before[1] + after[1]) / 2)))
        page.mouse.move(*over(page, after))
    page.mouse.up()


def menu(page: Any, key: str) -> None:
    """Open a menu of the toolbar, if it is closed."""
    if not page.locator(f"details[data-key={key}][open]").count():
        page.click(f"[data-key={key}_menu]")


def show_below(page: Any, name: str) -> None:
    """Show a variable of the kernel in a new cell below that of the first inspector."""
    page.evaluate(
        "async name => { const s = jupyterapp.shell.currentWidget;"
        " s.content.activeCellIndex = s.content.widgets.findIndex((cell) => cell.node.querySelector('.hctr'));"
        " await jupyterapp.commands.execute('notebook:insert-cell-below');"
        " s.content.activeCell.model.sharedModel.setSource(name);"
        " jupyterapp.commands.execute('notebook:run-cell'); }",
        name,
    )


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0.9) return c; } return [255, 255, 255]; };
  const root = document.querySelector('.hctr');
  const texts = [...root.querySelectorAll('button, label, output, .hc-rule, .hc-hint, .hc-none, th')]
    .filter((e) => e.offsetParent && !e.matches('[aria-pressed=false].hc-chip'));
  return Math.min(...texts.map((e) => { const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); }));
}"""
