"""Take the README's picture: planted data in JupyterLab, the inspector with a selected group.

python tools/picture.py [--dark] [--budget quick --runs reports/runs] [--width 1480] [--out docs/inspector.png]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Show the inspector in a JupyterLab of its own and photograph it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "inspector.png")
    parser.add_argument("--budget", default="smoke")
    parser.add_argument("--runs", type=Path, help="run store that has the run; without it, one is trained")
    parser.add_argument("--view", default="panels")
    parser.add_argument("--width", type=int, default=1480, help="of the browser's window, in pixels")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    import hyperctr as hc
    from tests.browser.lab import Lab, chromium, jupyterlab

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["HYPERCTR_RUNS"] = str(options.runs.resolve() if options.runs else folder / "runs")
        _ = hc.Session("planted", budget=options.budget).run
        code = (
            "import hyperctr as hc\n"
            f"session = hc.Session('planted', budget={options.budget!r})\n"
            "inspector = hc.Inspector(session.data, session.run, slot=session.busiest_slot, "
            f"view={options.view!r})\n"
            "inspector"
        )
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else JupyterLab asks for one
        cell: dict[str, object] = {
            "cell_type": "code",
            "id": "picture",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        book = {"cells": [cell | {"source": code}], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        (folder / "picture.ipynb").write_text(json.dumps(book))
        with jupyterlab(folder) as address, chromium(device_scale_factor=1.5) as page:
            lab = Lab(page, address)
            page.set_default_timeout(600_000)
            page.set_viewport_size({"width": options.width, "height": 1100})
            lab.open("picture.ipynb")
            if options.dark:
                page.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
            lab.command("notebook:run-all-cells")
            page.wait_for_selector(f".hctr[data-scenes][data-view={options.view}]")
            lab.python("inspector.selection = inspector.scene.members(0)")
            page.wait_for_selector(".hctr:not([data-selected='0']) .hc-panel tbody tr")
            page.locator(".hctr").first.scroll_into_view_if_needed()
            page.locator(".hctr").first.screenshot(path=str(options.out))


if __name__ == "__main__":
    main()
