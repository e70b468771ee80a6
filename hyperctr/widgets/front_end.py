"""The inspector's front end as one text: the modules in ``inspector/``, joined without node.

anywidget takes one module as a string. The modules are written so that joining is enough: imports are named, relative
and on one line, exports stand before a declaration, and no two modules use one name at their top.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent / "inspector"
IMPORT = re.compile(r'^import \{ (?P<names>[^}]*) \} from "(?P<path>\.[^"]*)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class) )", re.MULTILINE)
COMMENT = re.compile(
    r"^\s*(?:/\*\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL
)  # lines that are nothing else


def modules(main: Path = HERE / "main.js") -> dict[Path, str]:
    """Return the source of ``main`` and of all it imports, each after what it imports itself.

    >>> [path.name for path in modules()][0], [path.name for path in modules()][-1]
    ('scene.js', 'main.js')
    """
    found: dict[Path, str] = {}

    def visit(path: Path, above: tuple[Path, ...]) -> None:
        if path in above:
            raise ImportError(f"{path.name} imports itself by way of {', '.join(part.name for part in above)}")
        if path in found:
            return
        text = path.read_text(encoding="utf-8")
        for wanted in IMPORT.finditer(text):
            visit((path.parent / wanted["path"]).resolve(), (*above, path))
        found[path] = text

    visit(main.resolve(), ())
    return found


def joined(main: Path = HERE / "main.js") -> str:
    """Return one module: all sources in that order, without imports, exports of names, and comments.

    >>> text = joined()
    >>> "import " in text, text.count("export ")
    (False, 1)
    """
    texts = (EXPORT.sub("", IMPORT.sub("", text)) for text in modules(main).values())
    return "".join(COMMENT.sub("", text) for text in texts)


def stylesheet() -> str:
    """Return the stylesheet."""
    return (HERE / "style.css").read_text(encoding="utf-8")
