"""Data sets: validating containers, importers, splits and negatives; numpy and pandas only."""
