"""The front end's modules: joined right, small; checked by eslint and tsc where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hyperctr.widgets.front_end import HERE, IMPORT, joined, modules, squeezed, stylesheet

ROOT = Path(__file__).parents[2]
SAVED = HERE / "saved" / "page.js"
CHECKS = ROOT / "tools" / "front_end"
TOP = re.compile(r"^(?:export )?(?:async )?(?:function\*?|const|let|class) (\{[^}]*\}|\w+)", re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def names_of(text: str) -> list[str]:
    return [name for found in TOP.findall(text) for name in re.findall(r"\w+", found)]


def test_every_import_finds_its_export_and_no_name_is_used_twice() -> None:
    found = modules() | modules(SAVED)
    tops = [name for text in found.values() for name in names_of(text)]
    assert len(tops) > 80 and len(set(tops)) == len(tops), sorted({name for name in tops if tops.count(name) > 1})
    exported = {path: set(EXPORTED.findall(text)) for path, text in found.items()}
    for path, text in found.items():
        for wanted in IMPORT.finditer(text):
            names = {name.strip() for name in wanted["names"].split(",")}
            assert names <= exported[(path.parent / wanted["path"]).resolve()], f"{path.name}: {wanted[0]}"
        assert len(re.findall(r"^import\b", text, re.MULTILINE)) == len(IMPORT.findall(text)), (
            f"{path.name}: one line each"
        )
    unused = set(HERE.rglob("*.js")) - {*found}
    assert not unused, f"imported by nothing: {unused}"


def test_what_is_served_is_small_and_fetches_nothing() -> None:
    text = joined()
    assert "removeChild" not in text, "what tests of the browser take for JupyterLab's own"
    assert len(text.encode()) + len(stylesheet().encode()) < 90_000
    assert not re.search(r"^(import|export (?!default))", text, re.MULTILINE)
    assert "import(" not in text and "http" not in text.replace("http://www.w3.org/2000/svg", "") + stylesheet()
    assert text.endswith("export default{render};") and "/**" not in text


def test_modules_are_short_enough_to_read() -> None:
    assert [path.name for path, text in modules().items() if text.count("\n") > 250] == []


def test_a_module_that_imports_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nexport const a = 1;\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport const b = 1;\n')
    with pytest.raises(ImportError, match=r"a\.js imports itself by way of a\.js, b\.js"):
        joined(tmp_path / "a.js")


@pytest.mark.parametrize(
    ("written", "served"),
    [
        ("// gone\n/** gone\n * gone */\nconst a = /** @type {any} */ (1); // gone\n", "const a=(1);"),
        ("return a\n\t+ b;\n", "return a\n+b;"),
        ("let a = b\nlet c = d", "let a=b\nlet c=d"),
        ("a = b + +c - -d;", "a=b+ +c- -d;"),
        ('x = "//  no { comment }";', 'x="//  no { comment }";'),
        ("x = '\"' + y;", "x='\"'+y;"),
        ("x = `a  ${ f({ b: `  ${ c }  ` }) }  //  d`;", "x=`a  ${f({b:`  ${c}  `})}  //  d`;"),
        ("if (a) {\n\tb()\n}\nelse c()\n", "if(a){b()}\nelse c()"),
    ],
)
def test_only_what_means_nothing_goes(written: str, served: str) -> None:
    assert squeezed(written) == served


@pytest.mark.skipif(
    not (shutil.which("node") and (CHECKS / "node_modules").is_dir()),
    reason="no eslint and tsc: with node, run `npm ci` in tools/front_end",
)
def test_eslint_and_tsc_find_nothing() -> None:
    done = subprocess.run(["npm", "run", "check"], cwd=CHECKS, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
