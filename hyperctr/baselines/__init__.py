"""What every result is compared with: popularity and the like, content matrix factorisation, and published systems.

A model is a folder: its ``__init__.py`` declares options and settings and imports no torch; its ``network.py`` is the
model, and begins with the source and every deviation from it.
"""
