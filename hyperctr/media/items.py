"""Which files of a folder belong to which item, and what each can give."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from hyperctr.errors import DataError

Modality: TypeAlias = Literal["visual", "acoustic", "textual"]
MODALITIES: tuple[Modality, ...] = ("visual", "acoustic", "textual")
VIDEOS = ("mp4", "m4v", "mov", "3gp", "webm", "mkv", "avi", "flv", "wmv", "mpg", "mpeg", "ts", "ogv")
IMAGES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff")
SOUNDS = ("wav", "mp3", "m4a", "aac", "flac", "ogg", "opus", "wma", "aif", "aiff")
TEXTS = ("txt",)
SUFFIXES: dict[Modality, tuple[str, ...]] = {
    "visual": (*VIDEOS, *IMAGES),
    "acoustic": (*VIDEOS, *SOUNDS),
    "textual": TEXTS,
}


@dataclass(frozen=True)
class MediaFolder:
    """The files of a folder, one an item and modality.

    Attributes:
        files: modality -> item id -> file, in the order of the ids; the id is the file's name without its suffix.
        ignored: names of what no modality can be read from: other suffixes and folders.
    """

    files: dict[Modality, dict[str, Path]]
    ignored: list[str]


def list_media(folder: str | Path) -> MediaFolder:
    """Look through a folder; hidden files are passed over, folders in it are not entered.

    An item may have a video or an image, a sound and a text beside each other: ``7.mp4`` and ``7.txt``.

    Raises:
        DataError: there is no such folder; it holds no media; two files give the same modality of one item.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder; give the one that holds a file for each item as --media")
    visible = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    given: dict[Modality, dict[str, Path]] = {modality: {} for modality in MODALITIES}
    used = set()
    for path in visible:
        suffix = path.suffix.lower().removeprefix(".")
        for modality in MODALITIES if path.is_file() else ():
            if suffix not in SUFFIXES[modality]:
                continue
            other = given[modality].setdefault(path.stem, path)
            if other != path:
                both = f"{other.name} and {path.name} both give the {modality} modality of item {path.stem!r}"
                raise DataError(f"{root}: {both}; one file an item is needed: remove one")
            used.add(path)
    if not used:
        kinds: dict[str, int] = defaultdict(int)
        for path in visible:
            kinds[path.suffix.lower() if path.is_file() else "folders"] += 1
        here = ", ".join(f"{count} {kind or 'without suffix'}" for kind, count in sorted(kinds.items())) or "nothing"
        wanted = " ".join(f".{suffix}" for suffix in ("mp4", "webm", "jpg", "png", "wav", "mp3", "txt"))
        raise DataError(f"{root}: holds no media ({here}); needed is one file an item, such as {wanted}")
    return MediaFolder(given, [path.name for path in visible if path not in used])
