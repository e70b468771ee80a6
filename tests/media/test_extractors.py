"""Values of the extractors without weights, and what is said and loaded of those with."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hyperctr.errors import ConfigError, DataError
from hyperctr.media import extractors, learned, plain
from hyperctr.media.decode import UnreadableMedia, read_frames
from hyperctr.media.extractors import EXTRACTORS, choose
from hyperctr.media.spectrum import mel_filters
from tests.media.clips import H264, RED, TONE, Make


def ready(name: str) -> extractors.Extractor:
    weights = EXTRACTORS[name].weights
    if weights and (problem := weights.missing()):
        pytest.skip(f"{name}: {problem}")
    return EXTRACTORS[name]


def loaded(name: str) -> learned.Embed:
    import torch

    extractor = ready(name)
    assert extractor.weights and extractor.load
    return extractor.load(extractor.weights.locate()[0], torch.device("cpu"))


def test_a_red_video_is_red_and_has_no_edge(make: Make) -> None:
    vector = plain.colours_and_edges(plain.small_frames(make("red.mp4", *RED, *H264)))
    assert vector.shape == (72,) and vector[48] == 1.0 and vector.sum() == 1.0  # red 3 of 0..3, green 0, blue 0


def test_edges_are_counted_by_their_direction() -> None:
    stripes = np.zeros((1, 16, 16, 3), dtype=np.uint8)
    stripes[:, :, 8:] = 255
    for frames, direction in ((stripes, 0), (stripes.transpose(0, 2, 1, 3), 4)):
        vector = plain.colours_and_edges(frames)
        assert (vector[0], vector[63]) == (0.5, 0.5)
        assert vector[64:].nonzero()[0].tolist() == [direction]
        assert vector[64 + direction] == 2 / 16  # the two columns beside the edge
    assert (plain.colours_and_edges(np.concatenate([stripes, stripes]))[64] == 2 / 16).all()


def test_a_tone_is_loudest_in_its_band(make: Make) -> None:
    vector = plain.mel_statistics(plain.sound_16k(make("tone.wav", *TONE)))
    assert vector.shape == (128,)
    assert vector[:64].argmax() == 10  # centred at 439 Hz, the next ones at 398 and 482 Hz
    assert vector[64 + 10] < 0.1 < vector[10]
    assert np.allclose(vector[50:64], np.log(0.01), atol=0.2)  # nothing is heard above 4 kHz


def test_filters_are_triangles_with_a_peak_of_one() -> None:
    filters = mel_filters(16_000, 4096, 64, 125.0, 7_500.0)
    assert filters.shape == (2049, 64)
    assert filters.min() == 0 and 0.94 < filters.max(axis=0).min() <= filters.max() <= 1
    inside = filters[60:1800]
    assert np.allclose(inside.sum(axis=1), 1)  # neighbours overlap by half


def test_patches_have_the_shape_that_the_networks_were_trained_on(make: Make) -> None:
    tone = make("tone.wav", *TONE)
    short = make("short.wav", *TONE, "-t", "0.2")
    patches = learned.vggish_patches(tone)
    assert patches.shape == (4, 96, 64) and learned.vggish_patches(short).shape == (1, 96, 64)
    assert set(patches.argmax(axis=2).ravel().tolist()) == {8}  # 125 to 7,500 Hz: 440 Hz lies in the ninth band
    effects = learned.aisfx_patches(tone)
    assert effects.shape == (2, 100, 96) and learned.aisfx_patches(short).shape == (1, 100, 96)
    assert effects.min() >= 0 and effects.max() < 1


def test_texts_that_share_words_are_alike(tmp_path: Path) -> None:
    vectors = plain.text_vectors(["red cat", "red cat", "blue dog", "Blue, dog!", "xyzzy"])
    assert np.array_equal(vectors[0], vectors[1]) and np.array_equal(vectors[2], vectors[3])
    assert abs(vectors[0] @ vectors[2]) < 1e-6 and not vectors[4].any()
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "blank.txt").write_text("\ufeff \n")
    for name, problem in (("latin", "is no UTF-8 text"), ("blank", "is empty")):
        with pytest.raises(UnreadableMedia, match=problem):
            plain.read_text(tmp_path / f"{name}.txt")


def test_choosing_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="'resnet5' is not known; did you mean 'resnet50'"):
        choose(["resnet5"], [])
    with pytest.raises(ConfigError, match="mel-statistics and aisfx both give the acoustic modality"):
        choose(["mel-statistics", "aisfx"], [])
    with pytest.raises(ConfigError, match="'tfidf' gives the textual modality, not visual"):
        choose(["tfidf"], ["visual"])
    for name, file in (("resnet50", "resnet50-0676ba61.pth"), ("vggish", "vggish-10086976.pth")):
        with pytest.raises(DataError, match=rf"{name}.*not on this machine \({tmp_path}/hub/checkpoints/{file}\)"):
            choose([name], [])
        assert not EXTRACTORS[name].ready
    monkeypatch.setattr(extractors, "_ALL", tuple(e for e in EXTRACTORS.values() if not e.weights))
    names = [extractor.name for extractor in choose([], ["textual", "acoustic", "visual"])]
    assert names == ["colour-edges", "mel-statistics", "tfidf"]


def test_networks_have_the_layers_of_the_published_files() -> None:
    import torch

    from hyperctr.media.networks import ResNet50, SoundEffects, VGGish

    with torch.device("meta"):
        frames, speech, effects = ResNet50(), VGGish(), SoundEffects()
    sizes = [sum(values.numel() for values in network.parameters()) for network in (frames, speech, effects)]
    assert sizes == [25_557_032, 72_141_184, 4_686_144]
    names = frames.state_dict() | speech.state_dict() | effects.state_dict()
    assert names["layer1.0.downsample.0.weight"].shape == (256, 64, 1, 1)
    assert names["layer4.2.conv3.weight"].shape == (2048, 512, 1, 1)
    assert names["features.13.weight"].shape == (512, 512, 3, 3)
    assert names["embeddings.4.weight"].shape == (128, 4096)
    assert names["conv_block4.conv2.weight"].shape == (512, 512, 3, 3)


def test_weights_are_checked_and_used(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    from hyperctr.media.networks import ResNet50

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "resnet50-0676ba61.pth"
    path.parent.mkdir(parents=True)
    torch.manual_seed(0)
    network = ResNet50().eval()
    torch.save(network.state_dict(), path)
    extractor = EXTRACTORS["resnet50"]
    assert extractor.weights and extractor.load
    with pytest.raises(DataError, match="resnet50-0676ba61.pth: is damaged or another file"):
        extractor.weights.locate()
    anything = dataclasses.replace(extractor.weights, sha256="")
    assert anything.locate()[0] == path
    frames = extractor.read(make("red.mp4", *RED, *H264))
    (vector,) = extractor.load(path, torch.device("cpu"))([frames])
    pixels = torch.from_numpy(frames.copy()).permute(0, 3, 1, 2) / 255.0
    mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        wanted = network((pixels - mean[:, None, None]) / spread[:, None, None]).mean(dim=0).numpy()
    assert vector.shape == (2048,) and np.allclose(vector, wanted, rtol=1e-4, atol=1e-5)
    torch.save({"conv1.weight": torch.zeros(1)}, path)
    with pytest.raises(DataError, match="are not the weights of this network"):
        extractor.load(path, torch.device("cpu"))
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="holds no weights"):
        extractor.load(path, torch.device("cpu"))


def test_efficientnet_sees_a_flower() -> None:
    import torch
    from sklearn import datasets

    embed, weights = loaded("efficientnet-lite0"), EXTRACTORS["efficientnet-lite0"].weights
    pytest.importorskip("imageio_ffmpeg", reason="images are read by the ffmpeg of imageio-ffmpeg (extra: media)")
    images = Path(str(datasets.__file__)).parent / "images"
    frames = [read_frames(images / f"{name}.jpg", 256, 224) for name in ("flower", "china")]
    vectors = embed(frames)
    assert vectors.shape == (2, 1280) and np.array_equal(vectors, embed(frames))
    assert weights
    state = torch.load(weights.locate()[0], weights_only=True)
    logits = vectors @ state["_fc.weight"].numpy().T + state["_fc.bias"].numpy()
    assert logits.argmax(axis=1).tolist() == [985, 698]  # of ImageNet: a daisy, a palace


def test_aisfx_tells_a_tone_from_noise(make: Make) -> None:
    embed = loaded("aisfx")
    noise = make("noise.wav", "-f", "lavfi", "-i", "anoisesrc=duration=4:seed=1:sample_rate=44100:amplitude=0.3")
    loud, quiet = make("loud.wav", *TONE), make("quiet.wav", *TONE, "-af", "volume=0.7")
    vectors = embed([learned.aisfx_patches(path) for path in (loud, quiet, noise)])
    assert vectors.shape == (3, 512) and np.isfinite(vectors).all()
    distance = np.linalg.norm(vectors[:1] - vectors[1:], axis=1)
    assert distance[0] < distance[1] / 2


def test_the_sentence_encoder_knows_what_is_alike() -> None:
    vectors = loaded("all-minilm-l6-v2")(["a cat", "a kitten", "the stock market fell"])
    assert vectors.shape == (3, 384)
    assert vectors[0] @ vectors[1] > 0.7 > 0.3 > vectors[0] @ vectors[2]
