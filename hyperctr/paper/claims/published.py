"""The published numbers as results that claims are checked on: compared as printed, no interval is given with them."""

from __future__ import annotations

from collections.abc import Iterable

from hyperctr.paper.claims.claim import Comparison, Decision, Results, sign
from hyperctr.paper.numbers import published_columns, published_table


class PublishedResults(Results):
    """The paper's numbers of one data set.

    Args:
        column: the data set, as Table 3 names it.

    >>> print(PublishedResults("Kuaishou").compare("modalities", "multi-modal", "visual-modal"))
    AUC multi-modal 0.8120, visual-modal 0.8110: +0.0010 for multi-modal, as printed
    """

    source = "published"

    def __init__(self, column: str) -> None:
        self.dataset = self.column = column
        tables = {
            "overall": published_table("table3").assign(name=lambda rows: rows["model"]),
            "modalities": published_table("table4"),
        }
        self._cells = {
            name: table[(table["dataset"] == column) & table["auc"].notna()].set_index("name")[["auc", "logloss"]]
            for name, table in tables.items()
        }

    def rows(self, table: str) -> list[str]:
        """Return the rows with numbers in this column."""
        return [str(name) for name in self._cells[table].index] if table in self._cells else []

    def values(self, setting: str) -> list[float]:
        """Return none: the figures are printed without numbers."""
        return []

    def chosen(self, setting: str, among: Iterable[float]) -> float | None:
        """Return None: no validation results are printed."""
        return None

    def compare(self, table: str, a: str | float, b: str | float, metric: str = "auc") -> Comparison:
        """Compare two published cells; printed to four digits, their difference has no more."""
        first, second = (arm if isinstance(arm, str) else f"{arm:g}" for arm in (a, b))
        if not {first, second} <= set(self.rows(table)):
            return Comparison(first, second, metric, how="not printed")
        of_a, of_b = (float(self._cells[table].loc[name, metric]) for name in (first, second))
        gain = round((of_a - of_b) * sign(metric), 4)
        decision: Decision = "better" if gain > 0 else "worse" if gain < 0 else "open"
        return Comparison(first, second, metric, of_a, of_b, gain, gain, gain, decision, "as printed")


def published_results() -> list[Results]:
    """Return the paper's data sets, each knowing the others."""
    columns: list[Results] = [PublishedResults(column) for column in published_columns()]
    for results in columns:
        results.others = [other for other in columns if other is not results]
    return columns
