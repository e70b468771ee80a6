"""Figures 4 to 8."""
