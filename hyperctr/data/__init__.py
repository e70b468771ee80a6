"""Data sets: containers that validate what they are given, importers, splits and negatives (no torch here)."""
