"""Sphinx extension: pages whose code is run, a notebook as a page, the side bar, and formulas that need no script.

A page in ``live_pages`` shows after each block of Python what it gives; a comment ``<!-- notebook: PATH -->`` on a page
becomes the cells of that notebook. Code is run only where HYPERCTR_DOCS_RUN says so (``make docs``): else pages show
code alone, which takes seconds.
"""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

from hyperctr.display.theme import DARK, PLOTLY_MIME

BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
NOTEBOOK = re.compile(r"^<!-- notebook: (\S+) -->$", re.MULTILINE)
NAMED = re.compile(r"\[((?:docs/)?[\w-]+\.md)\]\((\S*?\1(?:#[\w-]+)?)\)")  # a link that reads as the file is called
SHOWN = ("text/html", "text/markdown", "text/plain")
FIGURE = """<div class="live-figure"><script>
(() => {{ const place = document.currentScript.parentElement, it = {figure};
  addEventListener("load", () => Plotly.newPlot(place, it.data, it.layout, it.config)); }})();
</script></div>"""


def runs() -> bool:
    """Tell whether this build runs code."""
    return os.environ.get("HYPERCTR_DOCS_RUN", "") not in ("", "0")


def executed(sources: list[str], folder: Path) -> list[str]:
    """Run blocks of code one after the other in a fresh kernel and return what each shows, as HTML."""
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    book = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    NotebookClient(book, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return ["\n".join(filter(None, map(shown, cell["outputs"]))) for cell in book["cells"]]


def shown(output: Any) -> str:
    """Return an output of a cell as HTML; progress bars and what is said on stderr are left out."""
    data = output.get("data", {})
    if output["output_type"] == "stream":
        return f"<pre>{html.escape(output['text'])}</pre>" if output["name"] == "stdout" else ""
    if PLOTLY_MIME in data:
        return FIGURE.format(figure=json.dumps(data[PLOTLY_MIME]).replace("</", "<\\/"))
    if any("widget" in mime or "hyperctr" in mime for mime in data):
        return ""
    mime = next((mime for mime in SHOWN if mime in data), "")
    text = "".join(data.get(mime, ""))
    if mime == "text/html":
        return re.sub(r"<style scoped>.*?</style>", "", text, flags=re.DOTALL)  # of pandas
    return f"<p>{html.escape(text)}</p>" if mime == "text/markdown" else f"<pre>{html.escape(text)}</pre>"


def raw(text: str) -> str:
    """Return HTML as a block of Markdown that Sphinx passes through."""
    return f'\n::::{{raw}} html\n<div class="live-output">\n{text}\n</div>\n::::\n' if text else ""


def notebook_text(path: Path, beside: Path) -> str:
    """Return the cells of a notebook as a page of a folder: prose without its title, and blocks of Python."""
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(path.read_text("utf-8"))["cells"]]
    texts = [f"```python\n{text}\n```\n" if kind == "code" else text for kind, text in cells]
    whole = re.sub(r"\A# .*\n", "", "\n\n".join(texts))
    if runs():  # `make docs` writes the report beside the pages, in which every notebook is a page
        return re.sub(r"\[(\w+)\]\(\1\.ipynb\)", r'<a href="../report/\1.html">\1</a>', whole)
    return re.sub(r"\]\((\w+\.ipynb)\)", rf"]({Path(os.path.relpath(path.parent, beside)).as_posix()}/\1)", whole)


def live(text: str, folder: Path) -> str:
    """Return a page with what each block of Python gives under it."""
    outputs = iter(executed(BLOCK.findall(text), folder))
    return BLOCK.sub(lambda block: block.group() + raw(next(outputs)), text)


def on_source(app: Sphinx, name: str, source: list[str]) -> None:
    """Change the text of a page before it is parsed."""
    path = Path(app.srcdir) / f"{name}.md"
    text = NOTEBOOK.sub(lambda found: notebook_text((path.parent / found[1]).resolve(), path.parent), source[0])
    if runs() and (text != source[0] or name in app.config.live_pages):
        text = live(text, Path(app.outdir))
    text = NAMED.sub(r"[](\2)", text)
    if name == app.config.root_doc:
        trees = ((caption, "\n".join(pages)) for caption, pages in app.config.live_contents.items())
        text += "".join(f"\n```{{toctree}}\n:hidden:\n:caption: {tree[0]}\n\n{tree[1]}\n```\n" for tree in trees)
    source[0] = text


def on_page(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Load plotly.js where a page has figures, which follow the site's theme."""
    if 'class="live-figure"' in context.get("body", ""):
        app.add_js_file("plotly.min.js")
        context["body"] = DARK + context["body"]


def on_finish(app: Sphinx, error: Exception | None) -> None:
    """Put plotly.js beside the pages: nothing is fetched when they are read."""
    if runs() and error is None:
        from plotly.offline import get_plotlyjs

        (Path(app.outdir) / "_static" / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")


def on_math(translator: Any, node: nodes.math | nodes.math_block) -> None:
    """Write a formula as MathML, which browsers draw by themselves."""
    block = isinstance(node, nodes.math_block)
    translator.body.append(tex2mathml(node.astext(), as_block=block))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_config_value("live_pages", [], "env")
    app.add_config_value("live_contents", {}, "env")
    app.connect("source-read", on_source)
    app.connect("html-page-context", on_page)
    app.connect("build-finished", on_finish)
    app.add_html_math_renderer("mathml", (on_math, None), (on_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
