"""A small example of somebody's own data: clicks in a CSV file, and a file of vectors a modality."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hyperctr.data.registry import open_data
from hyperctr.data.writing import folder_aside, free_folder, write_npz

NEW_ITEMS = 5  # with vectors, but nobody has clicked them yet


def write_example(folder: str | Path) -> Path:
    """Write ``interactions.csv`` and ``features/*.npz`` to a new folder, and return it.

    They are the clicks and vectors of ``planted`` in its smallest size; the last items have vectors only.

    Raises:
        DataError: the folder holds something.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     print((write_example(f"{place}/mine") / "interactions.csv").read_text().split()[0])
    user_id,item_id,timestamp
    """
    data = open_data("planted", "smoke")
    target = free_folder(folder)
    with folder_aside(target) as aside:
        known = data.clicked & (data.item_index < data.num_items - NEW_ITEMS)
        clicks = data.rows(np.flatnonzero(known)).drop(columns="clicked")
        clicks.to_csv(aside / "interactions.csv", index=False)
        (aside / "features").mkdir()
        for name, table in data.features.items():
            present = np.flatnonzero(table.present)
            write_npz(aside / "features" / f"{name}.npz", data.items[present], table.dim, [table.values[present]])
    return target
