"""Whether the report's verdicts on the paper's claims depend on the size of its data: two reports, claim by claim.

    python tests/benchmarks/bench_verdicts.py SMALL LARGE --out reports/results/benchmarks/verdicts.csv

SMALL and LARGE are folders of finished reports on ``planted`` (``reports/out/planted/quick``), the second one made
with ``QUICK_PLANTED`` of ``hyperctr/data/registry.py`` empty: 60,000 interactions instead of 10,000.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from hyperctr import __version__
from hyperctr.runs.scaling import busy_cores, machine_facts
from hyperctr.runtime import write_atomic

OPPOSITE = {"supported": "contradicted", "contradicted": "supported"}
SILENT = ("not run", "not applicable")


def compare(small: Path, large: Path) -> pd.DataFrame:
    """Return a row for each measured claim that either report could test, with both verdicts and their reasons."""
    one, other = (
        pd.read_csv(report / "tables" / "claims.csv").query("source == 'measured'").set_index("claim")
        for report in (small, large)
    )
    table = one[["place", "text"]]
    for size, frame in (("small", one), ("large", other)):
        table = table.join(frame[["verdict", "why"]].set_axis([size, f"why_{size}"], axis=1))
    tested = ~table[["small", "large"]].isin(SILENT).all(axis=1)
    table = table[tested].rename(columns={"text": "claim"})
    pairs = zip(table["small"], table["large"], strict=True)
    table["stands"] = [
        "same"
        if a == b
        else "opposite"
        if OPPOSITE.get(a) == b
        else "tested at one size"
        if a in SILENT or b in SILENT
        else "one undecided"
        for a, b in pairs
    ]
    return table[["place", "claim", "small", "large", "stands", "why_small", "why_large"]]


def code_of(report: Path) -> str:
    """Return the code that made HyperCTR's runs of a report."""
    return str(pd.read_csv(report / "runs.csv").set_index("model").loc["hyperctr", "code_fingerprint"].iloc[0])[:8]


def main() -> None:
    """Print the table and write it to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("small", type=Path)
    parser.add_argument("large", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    table = compare(options.small, options.large)
    print(table.drop(columns=["why_small", "why_large"]).to_string(index=False))
    print(table["stands"].value_counts().to_string())
    facts = {
        **machine_facts(),
        "busy_cores": round(busy_cores(1.0), 2),
        "hyperctr": __version__,
        "code": " and ".join(map(code_of, (options.small, options.large))),
    }
    command = "python tests/benchmarks/bench_verdicts.py SMALL LARGE"
    if options.out:
        dated = table.assign(**facts, command=command, date=datetime.now(UTC).date().isoformat())
        write_atomic(options.out, dated.to_csv(index=False))


if __name__ == "__main__":
    main()
