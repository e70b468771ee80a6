"""Extractors with weights: what they read of a file, and how their networks are loaded and run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hyperctr.errors import DataError
from hyperctr.media.decode import read_frames, read_sound
from hyperctr.media.spectrum import log_mel, mel_filters, spectrogram

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Vectors: TypeAlias = npt.NDArray[np.float32]
Embed: TypeAlias = Callable[[list[Any]], Vectors]  # what was read of B items to [B, dim]
EXAMPLES = 32  # frames or patches that go through a network at once


def frames_224(path: Path) -> npt.NDArray[np.uint8]:
    """Return key frames as networks trained on ImageNet take them: scaled to 256, the middle 224 x 224."""
    return read_frames(path, 256, 224)


def vggish_patches(path: Path) -> Vectors:
    """Return log-mel patches of 0.96 s, ``[n, 96, 64]``; a short sound is filled up with silence."""
    sound = read_sound(path, 16_000)
    bands = log_mel(np.pad(sound, (0, max(0, 15_600 - len(sound)))), 16_000, 64, 125.0, 7_500.0)
    patches = len(bands) // 96
    return bands[: 96 * patches].reshape(patches, 96, 64).astype(np.float32)


def aisfx_patches(path: Path) -> Vectors:
    """Return log-mel patches of 100 frames (2.3 s), overlapping by half, ``[n, 100, 96]``; a short sound is filled up.

    As its authors do with Essentia: power in 96 bands, each filter of sum 1, ``log10(1 + 10^4 power)``, over the
    largest value of their training data.
    """
    rate, window, hop = 44_100, 2_048, 1_024
    sound = read_sound(path, rate)
    filled = np.pad(sound, (window // 2, max(window // 2, 100 * hop - len(sound))))
    filters = mel_filters(rate, window, 96, 0.0, rate / 2)
    power = spectrogram(filled, window, hop, window) ** 2 @ (filters / filters.sum(axis=0))
    scaled = np.log10(1.0 + 1e4 * power) / 9.457798957824707
    windows = np.lib.stride_tricks.sliding_window_view(scaled, 100, axis=0)[::50]
    return windows.transpose(0, 2, 1).astype(np.float32)


def resnet50(weights: Path, device: torch.device) -> Embed:
    """Load ResNet-50."""
    from hyperctr.media.networks import ResNet50

    network = _filled(ResNet50(), _state(weights), weights)
    return _averaged(lambda x: network(_pixels(x, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))), network, device)


def efficientnet_lite0(weights: Path, device: torch.device) -> Embed:
    """Load EfficientNet-Lite0."""
    from efficientnet_lite_pytorch import EfficientNet

    network = _filled(EfficientNet.from_name("efficientnet-lite0"), _state(weights), weights)

    def pooled(frames: Tensor) -> Tensor:
        maps: Tensor = network.extract_features(_pixels(frames, (127.0,) * 3, (128.0,) * 3))
        return maps.mean(dim=(2, 3))

    return _averaged(pooled, network, device)


def vggish(weights: Path, device: torch.device) -> Embed:
    """Load VGGish."""
    from hyperctr.media.networks import VGGish

    network = _filled(VGGish(), _state(weights), weights)
    return _averaged(network, network, device)


def aisfx(weights: Path, device: torch.device) -> Embed:
    """Load the embedding network of aiSFX; the classifiers beside it are left out."""
    from hyperctr.media.networks import SoundEffects

    state, prefix = _state(weights)[0], "embedding_net."
    kept = {name.removeprefix(prefix): values for name, values in state.items() if name.startswith(prefix)}
    network = _filled(SoundEffects(), kept, weights)
    return _averaged(network, network, device)


def sentence_encoder(weights: Path, device: torch.device) -> Embed:
    """Load all-MiniLM-L6-v2, which reads the first 256 word pieces of a text."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(weights.parent), device=str(device), local_files_only=True)

    def embed(texts: list[Any]) -> Vectors:
        return np.asarray(model.encode(texts, normalize_embeddings=True, show_progress_bar=False), dtype=np.float32)

    return embed


def _state(weights: Path) -> Any:
    """Read a file of weights; of anything but numbers only numpy's scalars are let in."""
    import pickle

    import torch
    from numpy._core.multiarray import scalar

    numbers: list[Any] = [(scalar, "numpy.core.multiarray.scalar"), np.dtype, type(np.dtype(np.int64))]
    try:
        with torch.serialization.safe_globals(numbers):
            return torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise DataError(f"{weights}: holds no weights ({str(error).splitlines()[0]}); get the file again") from error


def _filled(network: nn.Module, state: Any, weights: Path) -> Any:
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError) as error:
        problem = str(error).splitlines()[-1].strip()
        raise DataError(f"{weights}: are not the weights of this network ({problem}); get the file again") from error
    return network.eval()


def _averaged(forward: Callable[[Tensor], Tensor], network: nn.Module, device: torch.device) -> Embed:
    """Return the function that runs a network on the examples of each item and averages over them."""
    import torch

    from hyperctr.runtime import repeatable

    network.to(device)

    def embed(items: list[Any]) -> Vectors:
        with torch.inference_mode(), repeatable(device):
            parts = torch.from_numpy(np.concatenate(items)).split(EXAMPLES)
            embedded = torch.cat([forward(part.to(device)) for part in parts])
            means = torch.stack([part.mean(dim=0) for part in embedded.split([len(item) for item in items])])
        vectors: Vectors = means.cpu().numpy()
        return vectors

    return embed


def _pixels(frames: Tensor, mean: tuple[float, ...], spread: tuple[float, ...]) -> Tensor:
    """Bring uint8 ``[F, H, W, 3]`` to normalised ``[F, 3, H, W]``."""
    import torch

    pixels = (frames.float() - torch.tensor(mean, device=frames.device)) / torch.tensor(spread, device=frames.device)
    return pixels.permute(0, 3, 1, 2).contiguous()
