"""Figures, tables and the offline report. Nothing here imports torch, so a report kernel starts in about three seconds."""
