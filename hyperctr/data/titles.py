"""What to call users and items where people read: the titles of the items' table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperctr.data.dataset import Dataset


def titles(data: Dataset) -> dict[str, list[str]]:
    """Return what to call every user and every item: its title, or its kind and id."""
    column = data.item_table["title" if "title" in data.item_table else "item_id"]
    named = column.where(column.notna(), "").astype(str).tolist() if column.name == "title" else [""] * data.num_items
    return {
        "user": [f"user {name}" for name in data.users.tolist()],
        "item": [title or f"item {name}" for title, name in zip(named, data.items.tolist(), strict=True)],
    }
