"""A JupyterLab of its own for each module of browser tests: Playwright must not outlive them, and one restarts it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import hyperctr as hc
from tests.browser.lab import PANELS, ROOT, Lab, after_scene, chromium, jupyterlab, need_browser


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab, one page, notebook 21 run to its end at budget smoke."""
    need_browser()
    folder = tmp_path_factory.mktemp("lab")
    book = json.loads((ROOT / "notebooks" / "21_inspect_prediction.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in book["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    cells[0]["source"] = "".join(cells[0]["source"]).replace('"quick"', '"smoke"').replace("int = 200", "int = 5")
    (folder / "21.ipynb").write_text(json.dumps(book))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYPERCTR_RUNS", str(folder / "runs"))
        session = hc.Session("planted", budget="smoke")
        _ = session.run  # trained once, here; the notebook finds it in the store
        with jupyterlab(folder) as address, chromium() as page:
            lab = Lab(page, address)
            lab.open("21.ipynb")
            lab.command("notebook:run-all-cells")
            page.wait_for_selector(".hctr [data-key=new_score]", state="attached", timeout=150_000)  # the last cell's
            lab.folder, lab.session = folder, session
            yield lab


@pytest.fixture
def page(lab: Lab) -> Any:
    """The page, with the inspector as it was at first."""
    lab.python(
        "inspector.view = None; inspector.focus = None; inspector.selection = []; inspector.colour_by = '';"
        "inspector.min_size = inspector.max_size = inspector.min_degree = inspector.min_modalities = 0;"
        "inspector.removed = []; inspector.removed_modalities = []; inspector.removed_clicks = [];"
        "inspector.explained_delta = inspector.explained_neighbours = None;"
        "inspector.query = ''; inspector.side = 'user';"
        "inspector.delta = 0.5; inspector.swap = False; inspector.neighbours = 0; inspector.pair = [];"
        "inspector.slots = inspector.compare_slot = inspector.compare_delta = None;"
        "inspector.modalities = list(session.data.modalities); inspector.slot = session.busiest_slot;"
        "inspector.limit = 15"
    )
    lab.page.wait_for_selector(f"{PANELS}[data-selected='0']")
    numbers = json.loads(lab.python("print(inspector.scene.edges.number.tolist())"))
    same = "[...s.edge_number].join() === " + repr(",".join(map(str, numbers))) + " && !s.colouring"
    after_scene(lab.page, lambda: None, same)
    lab.page.locator(".hctr").first.scroll_into_view_if_needed()
    return lab.page
