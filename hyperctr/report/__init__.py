"""Figures, tables and the offline report. Nothing here imports torch on its own: kernels start fast."""
