"""What does not fit in a release is named with file, line and value, and nothing is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hyperctr.data.importing import import_folder
from hyperctr.errors import DataError
from tests.data import releases
from tests.data.releases import RELEASES
from tests.data.writers import parquet, write

pytestmark = pytest.mark.filterwarnings("ignore::hyperctr.errors.DataWarning")


FAULTS = {  # release, file -> (what is written for what, what is said)
    "click": ("kuairand", "log_random_4_22_to_5_08_pure.csv", "500,0", "500,2", "line 2: is_click '2' is not one of"),
    "watch": ("kuairec", "big_matrix.csv", "2.5", "inf", "line 3: watch_ratio 'inf' is not a finite number"),
    "pairs": ("microlens-50k", "MicroLens-50k_pairs.csv", "\n2,5", "\n02,5", "line 4: user '02' is not a whole number"),
    "title": ("microlens-100k", "MicroLens-100k_title_en.csv", "2,H", "x,H", "line 2: 'x,High tide' is not ITEM,TITLE"),
    "titles": ("microlens-50k", "MicroLens-50k_titles.csv", "5,", "1,", "item 1 has two titles"),
    "inter": ("mmrec", "baby.inter", "8801", "8801.5", "line 4: timestamp '1391708801.5' is not a whole number"),
    "missed": ("mmrec", "missed_img_itemIDs.csv", "1", "1e0", "line 1: '1e0' is no item; write one number a line"),
    "type": ("recbole", "ml-toy.item", "year:token", "year:tok", "line 1: 'year:tok' is not name:type"),
    "sequence": ("recbole", "ml-toy.item", "2 -1", "2", "cover needs as many numbers in each row"),
    "json": ("lattice", "val.json", "[0]", "[0.5]", "val.json: user '0' has [0.5], expected a list of whole numbers"),
    "label": ("fuxictr-csv", "train.csv", "b,y,0", "b,y,0.5", "line 3: label '0.5' is not one of 0, 1"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_named_with_file_line_and_value(fault: str, tmp_path: Path) -> None:
    release, file, old, new, message = FAULTS[fault]
    RELEASES[release](tmp_path)
    (path,) = (path for path in tmp_path.rglob(Path(file).name))
    assert path.read_text().count(old) == 1
    write(path, path.read_text().replace(old, new))
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        import_folder(tmp_path, tmp_path / "out")
    assert str(path) in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"value": [[1.0], [2.0, 3.0], [1.0]]}, "needs lists of numbers, all of one length"),
        ({"value": [[1.0], [2.0], [1.0, 2.0]]}, "vectors have 1 and 2 numbers"),
        ({"value": [1.0, 2.0, 3.0]}, "holds no lists of numbers"),
        ({"key": [10, 12, 12]}, "an item stands twice"),
        ({"key": [10.5, 12, 11]}, "needs ids"),
        ({"value": None}, "needs one column 'value'"),
    ],
)
def test_embeddings_in_parquet_that_do_not_fit(damage: dict[str, Any], message: str, tmp_path: Path) -> None:
    releases.fuxictr_parquet(tmp_path)
    columns = {"key": [10, 11, 12], "value": [[1.0], [2.0], [3.0]], **damage}
    path = tmp_path / "tiny_parquet" / "text_emb.parquet"
    parquet(path, **{name: values for name, values in columns.items() if values})
    with pytest.raises(DataError, match=re.escape(f"{path}: ") + f".*{message}"):
        import_folder(tmp_path, tmp_path / "out")
