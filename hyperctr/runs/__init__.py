"""Finished runs: where they live, what names them, how one is made."""
