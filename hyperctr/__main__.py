"""Makes `python -m hyperctr` the same as the command `hyperctr`."""

from hyperctr.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
