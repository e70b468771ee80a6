"""`hyperctr data extract` and `hyperctr data extractors`: features from videos, images, sounds and texts."""

from __future__ import annotations

import argparse
from pathlib import Path

from hyperctr.cli.parser import Commands, command

SHOWN = 10  # items that were left out


def add_actions(actions: Commands) -> None:
    """Add ``extract`` and ``extractors`` to ``data``."""
    extract = command(actions, "extract", run_extract, "compute features/<modality>.npz from a folder of media")
    text = "one file an item and modality: video, image, sound or text; the name without suffix is the item's id"
    extract.add_argument("--media", type=Path, required=True, metavar="DIR", help=text)
    text = "takes features/ and extraction.json; the same command goes on where it was stopped"
    extract.add_argument("--out", type=Path, required=True, metavar="DIR", help=text)
    choices = ("visual", "acoustic", "textual")
    text = "default: those of the extractors that are named, else all that there are files for"
    extract.add_argument("--modality", nargs="+", action="extend", choices=choices, default=[], help=text)
    text = "see `hyperctr data extractors`; one a modality (default: the first there whose weights are on the machine)"
    extract.add_argument("--extractor", nargs="+", action="extend", default=[], metavar="NAME", help=text)
    extract.add_argument("--device", metavar="D", help="cpu, cuda, cuda:N or mps (default: the best there is)")
    extract.add_argument("--batch", type=int, default=32, metavar="N", help="files at once (default: 32)")
    command(actions, "extractors", run_extractors, "list the extractors, and what those need that are not ready")


def run_extract(options: argparse.Namespace) -> int:
    """Compute the features; 1 if a modality has none in the end."""
    from hyperctr.media.extract import extract_features

    chosen = {"modalities": options.modality, "extractors": options.extractor}
    extractions = extract_features(options.media, options.out, **chosen, device=options.device, batch=options.batch)
    for extraction in extractions:
        print(extraction if extraction.items else f"{extraction.modality}: no item has a vector, nothing was written")
        for item, why in list(extraction.failures.items())[:SHOWN]:
            print(f"  left out: item {item} {why}")
        if len(extraction.failures) > SHOWN:
            print(f"  and {len(extraction.failures) - SHOWN:,} more: see {options.out / 'extraction.json'}")
    return 0 if all(extraction.items for extraction in extractions) else 1


def run_extractors(options: argparse.Namespace) -> int:
    """Print name, modality, length of a vector and whether the weights are there."""
    from hyperctr.media.extractors import EXTRACTORS

    for extractor in EXTRACTORS.values():
        state = "ready" if extractor.ready else "-"
        print(f"{extractor.name:<20}{extractor.modality:<10}{extractor.dim:>5}  {state:<7}{extractor.about}")
        if extractor.weights:
            print(f"{'':<44}licence: {extractor.weights.licence}")
            if problem := extractor.weights.missing():
                print(f"{'':<44}{problem}")
    return 0
