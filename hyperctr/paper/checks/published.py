"""The published numbers as results that claims are checked on: compared as printed, no interval is given with them."""

from __future__ import annotations

from hyperctr.paper.checks.claim import Comparison, Decision, Results, sign
from hyperctr.paper.numbers import published_columns, published_table
from hyperctr.sweeps.seeds import records


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
        self._cells: dict[str, dict[str, dict[str, float]]] = {}
        for name, table, key in (("overall", "table3", "model"), ("modalities", "table4", "name")):
            cells = published_table(table).query("dataset == @column").dropna(subset=["auc"])
            self._cells[name] = {str(row[key]): row for row in records(cells)}

    def rows(self, table: str) -> list[str]:
        """Return the rows with numbers in this column."""
        return list(self._cells.get(table, ()))

    def compare(self, table: str, a: str | float, b: str | float, metric: str = "auc") -> Comparison:
        """Compare two published cells; printed to four digits, their difference has no more."""
        first, second = (arm if isinstance(arm, str) else f"{arm:g}" for arm in (a, b))
        cells = self._cells.get(table, {})
        if first not in cells or second not in cells:
            return Comparison(first, second, metric, how="not printed")
        of_a, of_b = cells[first][metric], cells[second][metric]
        gain = round((of_a - of_b) * sign(metric), 4)
        decision: Decision = "better" if gain > 0 else "worse" if gain < 0 else "open"
        return Comparison(first, second, metric, of_a, of_b, gain, gain, gain, decision, "as printed")


def published_results() -> list[Results]:
    """Return the paper's data sets, each knowing the others."""
    columns: list[Results] = [PublishedResults(column) for column in published_columns()]
    for results in columns:
        results.others = [other for other in columns if other is not results]
    return columns
