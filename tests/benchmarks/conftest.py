"""Doctests are looked for in the benchmarks, too, but not where the peer is imported, which is not installed here."""

collect_ignore = ["peer_din.py"]
