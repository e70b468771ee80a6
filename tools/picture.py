"""Take the README's picture: notebook 21 on planted data in JupyterLab, the inspector with a selected group.

python tools/picture.py [--dark] [--budget quick --runs reports/runs] [--out docs/inspector.png]
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
    """Run notebook 21 in a JupyterLab of its own and photograph the inspector."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "inspector.png")
    parser.add_argument("--budget", default="smoke")
    parser.add_argument("--runs", type=Path, help="run store that has the run; without it, one is trained")
    parser.add_argument("--view", default="panels")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    import hyperctr as hc
    from tests.browser.lab import Lab, chromium, jupyterlab

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["HYPERCTR_RUNS"] = str(options.runs.resolve() if options.runs else folder / "runs")
        _ = hc.Session("planted", budget=options.budget).run
        book = json.loads((ROOT / "notebooks" / "21_inspect_prediction.ipynb").read_text(encoding="utf-8"))
        cell = next(cell for cell in book["cells"] if "parameters" in cell["metadata"].get("tags", []))
        cell["source"] = "".join(cell["source"]).replace('"quick"', f'"{options.budget}"')
        (folder / "21.ipynb").write_text(json.dumps(book))
        with jupyterlab(folder) as address, chromium(device_scale_factor=1.5) as page:
            lab = Lab(page, address)
            lab.open("21.ipynb")
            if options.dark:
                page.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
            lab.command("notebook:run-all-cells")
            page.wait_for_selector(".hctr [data-key=new_score]", state="attached", timeout=120_000)
            lab.python(
                "inspector.pair, inspector.focus, inspector.side = [], None, 'user';"
                "inspector.slot = session.busiest_slot;"
                f"inspector.view = {options.view!r}; inspector.selection = inspector.scene.members(0)"
            )
            page.wait_for_selector(".hctr:not([data-selected='0'])")
            page.wait_for_selector(f".hctr[data-view={options.view}]")
            page.locator(".hctr").first.scroll_into_view_if_needed()
            page.locator(".hctr").first.screenshot(path=str(options.out))


if __name__ == "__main__":
    main()
