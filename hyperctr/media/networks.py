"""The networks whose weights are published as a file alone; the names of their layers are those of that file.

Imported only by the extractors that need it: this module needs torch when it is imported.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class Bottleneck(nn.Module):
    """A residual block of ResNet-50; the stride lies on the 3 x 3 convolution, as in the published weights."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        shortcut = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
        self.downsample = nn.Sequential(*shortcut) if stride > 1 or inputs != 4 * width else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """``[B, inputs, H, W]`` to ``[B, 4 width, H / stride, W / stride]``."""
        inner = torch.relu(self.bn1(self.conv1(images)))
        inner = torch.relu(self.bn2(self.conv2(inner)))
        return torch.relu(self.bn3(self.conv3(inner)) + self.downsample(images))


class ResNet50(nn.Module):
    """ResNet-50 (He et al., CVPR 2016) up to its pooled features; the classifier is read and not used."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        inputs = 64
        for number, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
            layer = nn.Sequential()
            for block in range(blocks):
                layer.append(Bottleneck(inputs, width, 2 if block == 0 and number > 1 else 1))
                inputs = 4 * width
            self.add_module(f"layer{number}", layer)
        self.fc = nn.Linear(2048, 1000)

    def forward(self, images: Tensor) -> Tensor:
        """``[B, 3, 224, 224]``, normalised, to ``[B, 2048]``."""
        maps = torch.relu(self.bn1(self.conv1(images)))
        maps = nn.functional.max_pool2d(maps, 3, 2, 1)
        for number in range(1, 5):
            maps = self.get_submodule(f"layer{number}")(maps)
        return maps.mean(dim=(2, 3))


class VGGish(nn.Module):
    """VGGish (Hershey et al., ICASSP 2017) without the PCA and the 8-bit steps of the AudioSet release."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential()
        inputs = 1
        for widths in ((64,), (128,), (256, 256), (512, 512)):
            for width in widths:
                self.features.append(nn.Conv2d(inputs, width, 3, padding=1)).append(nn.ReLU())
                inputs = width
            self.features.append(nn.MaxPool2d(2))
        sizes = (512 * 6 * 4, 4096, 4096, 128)
        self.embeddings = nn.Sequential()
        for size, wider in pairwise(sizes):
            self.embeddings.append(nn.Linear(size, wider)).append(nn.ReLU())

    def forward(self, patches: Tensor) -> Tensor:
        """Log-mel patches ``[B, 96, 64]`` to ``[B, 128]``."""
        maps: Tensor = self.features(patches[:, None])
        embedded: Tensor = self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))  # channels last, as it was trained
        return embedded


class SoundEffects(nn.Module):
    """The embedding network of aiSFX (Ma and Lerch, ISMIR 2022): four blocks of two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        inputs = 1
        for number, width in enumerate((64, 128, 256, 512), start=1):
            block = nn.Module()
            for layer, size in ((1, inputs), (2, width)):
                block.add_module(f"conv{layer}", nn.Conv2d(size, width, 3, padding=1, bias=False))
                block.add_module(f"bn{layer}", nn.BatchNorm2d(width))
            self.add_module(f"conv_block{number}", block)
            inputs = width

    def forward(self, patches: Tensor) -> Tensor:
        """Log-mel patches ``[B, 100, 96]`` to ``[B, 512]``."""
        maps = patches[:, None]
        for number in range(1, 5):
            block = self.get_submodule(f"conv_block{number}")
            for layer in (1, 2):
                maps = block.get_submodule(f"conv{layer}")(maps)
                maps = torch.relu(block.get_submodule(f"bn{layer}")(maps))
            maps = nn.functional.max_pool2d(maps, 2) if number < 4 else maps
        return maps.mean(dim=3).amax(dim=2)
