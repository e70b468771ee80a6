"""The extractors: what each makes of a file, which weights it needs, and which one is the default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hyperctr.errors import ConfigError, DataError, did_you_mean
from hyperctr.media import learned, plain
from hyperctr.media import weights as files
from hyperctr.media.items import MODALITIES, Modality
from hyperctr.media.learned import Embed
from hyperctr.media.weights import Weights

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Extractor:
    """One way to make a vector of a file.

    Attributes:
        name: by which it is chosen.
        modality: of the vectors.
        dim: numbers a vector; of one that is fitted to all texts, at most.
        about: one line for people.
        read: file to what the vector is computed from, or ``UnreadableMedia``.
        embed: what was read of B items to ``[B, dim]``, where there are no weights.
        load: weights and device to such a function, where there are.
        weights: the file that it needs on the machine.
        fitted: whether a vector depends on all other items, so that all are computed at once.

    >>> EXTRACTORS["mel-statistics"].dim, EXTRACTORS["mel-statistics"].ready
    (128, True)
    """

    name: str
    modality: Modality
    dim: int
    about: str
    read: Callable[[Path], Any]
    embed: Embed | None = None
    load: Callable[[Path, torch.device], Embed] | None = None
    weights: Weights | None = None
    fitted: bool = False

    @property
    def ready(self) -> bool:
        """Whether its weights are on the machine, or it needs none."""
        return self.weights is None or not self.weights.missing()


# of each modality the best first: the first one that is ready is the default
_ALL = (
    Extractor(
        name="resnet50",
        modality="visual",
        dim=2048,
        about="ResNet-50 on key frames",
        read=learned.frames_224,
        load=learned.resnet50,
        weights=files.RESNET50,
    ),
    Extractor(
        name="efficientnet-lite0",
        modality="visual",
        dim=1280,
        about="EfficientNet-Lite0 on key frames",
        read=learned.frames_224,
        load=learned.efficientnet_lite0,
        weights=files.EFFICIENTNET,
    ),
    Extractor(
        name="colour-edges",
        modality="visual",
        dim=plain.COLOURS + plain.DIRECTIONS,
        about="colours and directions of edges in key frames; no weights",
        read=plain.small_frames,
        embed=lambda items: np.stack([plain.colours_and_edges(frames) for frames in items]),
    ),
    Extractor(
        name="vggish",
        modality="acoustic",
        dim=128,
        about="VGGish on patches of 0.96 s",
        read=learned.vggish_patches,
        load=learned.vggish,
        weights=files.VGGISH,
    ),
    Extractor(
        name="aisfx",
        modality="acoustic",
        dim=512,
        about="aiSFX, trained on sound effects, on patches of 2.3 s",
        read=learned.aisfx_patches,
        load=learned.aisfx,
        weights=files.AISFX,
    ),
    Extractor(
        name="mel-statistics",
        modality="acoustic",
        dim=2 * plain.BANDS,
        about="mean and deviation of 64 log-mel bands; no weights",
        read=plain.sound_16k,
        embed=lambda items: np.stack([plain.mel_statistics(sound) for sound in items]),
    ),
    Extractor(
        name="all-minilm-l6-v2",
        modality="textual",
        dim=384,
        about="sentence encoder all-MiniLM-L6-v2",
        read=plain.read_text,
        load=learned.sentence_encoder,
        weights=files.MINILM,
    ),
    Extractor(
        name="tfidf",
        modality="textual",
        dim=plain.TEXT_DIM,
        about="TF-IDF and singular directions of all texts together; no weights",
        read=plain.read_text,
        embed=plain.text_vectors,
        fitted=True,
    ),
)
EXTRACTORS = {extractor.name: extractor for extractor in _ALL}


def choose(names: Sequence[str], modalities: Sequence[Modality]) -> list[Extractor]:
    """Return the extractors of those names, at most one a modality, and the default ones of further ``modalities``.

    Raises:
        ConfigError: unknown name; two of one modality; one of a modality that is not among those asked for.
        DataError: one that was named lacks its weights.

    >>> [extractor.name for extractor in choose(["tfidf", "colour-edges"], [])]
    ['colour-edges', 'tfidf']
    """
    chosen: dict[Modality, Extractor] = {}
    for name in names:
        if name not in EXTRACTORS:
            raise ConfigError(f"extractor {name!r} is not known; {did_you_mean(name, EXTRACTORS)}")
        extractor = EXTRACTORS[name]
        other = chosen.setdefault(extractor.modality, extractor)
        if other != extractor:
            raise ConfigError(f"{other.name} and {name} both give the {other.modality} modality; name one of them")
        if modalities and extractor.modality not in modalities:
            raise ConfigError(f"extractor {name!r} gives the {extractor.modality} modality, not {modalities[0]}")
        if extractor.weights and (problem := extractor.weights.missing()):
            raise DataError(f"extractor {name!r}: {problem}")
    for modality in modalities:
        ready = (extractor for extractor in _ALL if extractor.modality == modality and extractor.ready)
        chosen.setdefault(modality, next(ready))
    return [chosen[modality] for modality in MODALITIES if modality in chosen]
