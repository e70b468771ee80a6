"""The inspector's front end as one text: the modules in ``inspector/``, joined without node.

anywidget takes one module as a string, which each saved notebook holds once an inspector: comments and needless spaces
go. The modules are written so that joining is enough: imports are named, relative and on one line, exports stand before
a declaration, no two modules use one name at their top, and there are no regular expressions, whose slashes only a full
parser can tell from a division.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent / "inspector"
IMPORT = re.compile(r'^import \{ (?P<names>[^}]*) \} from "(?P<path>\.[^"]*)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class) )", re.MULTILINE)
TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<space>\s+)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\w$]+|.""", re.DOTALL
)
IN_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)", re.DOTALL)


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
    """Return one module: all sources in that order, without imports and exports of names, :func:`squeezed`.

    >>> text = joined()
    >>> "import " in text, text.count("export ")
    (False, 1)
    """
    return squeezed("".join(EXPORT.sub("", IMPORT.sub("", text)) for text in modules(main).values()))


def squeezed(code: str) -> str:
    r"""Return JavaScript without comments, and without spaces and ends of lines that mean nothing.

    >>> squeezed("const a = 1; // one\n/** two */\nlet b = `${a + 1} // no`;")
    'const a=1;let b=`${a+1} // no`;'
    """
    made: list[str] = []
    gap, place = "", 0
    braces: list[int] = []  # open in each ${...} of a template that the place is in
    while place < len(code):
        found = TOKEN.match(code, place)
        assert found is not None  # "." matches whatever nothing else does
        token, place = found[0], found.end()
        if found["space"] or found["comment"]:
            gap = "\n" if "\n" in token or gap == "\n" else " "
            continue
        in_template = token == "`" or (token == "}" and bool(braces) and braces[-1] == 0)
        if braces and token in "{}":
            braces[-1] += 1 if token == "{" else -1
        if token == "}" and in_template:
            braces.pop()
        made.append(_needed(gap, made[-1] if made else "", token))
        made.append(token)
        gap = ""
        if in_template:
            rest = IN_TEMPLATE.match(code, place)
            if rest is None:
                raise SyntaxError("a template in the front end has no end")
            made.append(rest[0])
            place = rest.end()
            if rest[0].endswith("${"):
                braces.append(0)
    return "".join(made)


def _needed(gap: str, before: str, after: str) -> str:
    """What must stand between two tokens that had a gap."""
    left, right = before[-1:], after[:1]
    if gap == "\n" and left not in "{([,;:?=&|<>" and right not in "})],;:?=&|.":
        return "\n"
    word = re.compile(r"[\w$]")
    return " " if gap and (bool(word.match(left) and word.match(right)) or left == right in "+-") else ""


def stylesheet(path: Path = HERE / "style.css") -> str:
    """Return a stylesheet without comments, and without blanks that mean nothing."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s*([{};,])\s*|(?<=:) ", r"\1", re.sub(r"\s+", " ", text)).strip()
