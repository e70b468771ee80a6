"""What ffmpeg hands over of good files, and what is said of bad ones."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from hyperctr.errors import DataError
from hyperctr.media import decode
from hyperctr.media.decode import UnreadableMedia, read_frames, read_sound
from tests.media.clips import BARS, H264, RED, SILENCE, TONE, Make


def test_key_frames_are_spread_over_the_video(make: Make) -> None:
    # grey rises by 2 a frame; every fifth frame is a key frame: 0, 5, ... 95
    ramp = "color=black:size=64x64:rate=10:duration=10,format=gray,geq=lum='2*N'"
    video = make("ramp.mp4", "-f", "lavfi", "-i", ramp, *H264, "-g", "5", "-sc_threshold", "0", "-color_range", "pc")
    frames = read_frames(video, 32, 32)
    assert frames.shape == (8, 32, 32, 3)
    levels = frames.mean(axis=(1, 2, 3))
    wanted = 2 * 5 * np.linspace(0, 19, 8).round()
    assert np.abs(levels - wanted).max() < 4
    assert (read_frames(video, 32, 32) == frames).all()


def test_memory_holds_few_frames_of_a_video_of_key_frames(make: Make) -> None:
    ramp = "color=black:size=64x64:rate=10:duration=12,format=gray,geq=lum='2*N'"
    video = make("all.avi", "-f", "lavfi", "-i", ramp, "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p")
    levels = read_frames(video, 32, 32, count=4).mean(axis=(1, 2, 3))
    assert len(levels) == 4 and levels[0] < 4 and levels[-1] > 200  # 120 key frames
    assert (np.diff(levels) > 50).all()


def test_an_image_is_one_frame_cut_from_its_middle(make: Make) -> None:
    wide = make("wide.png", *RED, "-frames:v", "1", "-vf", "pad=160:64:32:0:blue")
    frames = read_frames(wide, 32, 32)
    assert frames.shape == (1, 32, 32, 3)
    assert (frames == (254, 0, 0)).all() or (np.abs(frames.astype(int) - (255, 0, 0)) < 3).all()


def test_a_file_name_is_no_pattern_and_no_option(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    red = make("-r %03d'[0] a:b.png", *RED, "-frames:v", "1", "-update", "1")
    monkeypatch.chdir(red.parent)
    assert read_frames(Path(red.name), 32, 32).shape == (1, 32, 32, 3)


def test_sound_is_mixed_and_resampled(make: Make) -> None:
    wav = make("tone.wav", *TONE, "-ac", "2")
    sound = read_sound(wav, 16_000)
    assert len(sound) == 64_000 and sound.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(sound))
    assert spectrum.argmax() / 4 == 440
    assert len(read_sound(wav, 16_000, seconds=1)) == 16_000


def test_bad_files_say_what_is_wrong(make: Make, tmp_path: Path) -> None:
    whole = make("whole.mp4", *BARS, *TONE, *H264, "-shortest", "-movflags", "+faststart").read_bytes()
    late = make("late.mp4", *BARS, *TONE, *H264, "-shortest").read_bytes()
    silent, mute = make("silent.mp4", *RED, *SILENCE, *H264), make("mute.mp4", *RED, *H264)
    files = {
        "empty.mp4": b"",
        "cut.mp4": whole[: len(whole) * 2 // 3],
        "headless.mp4": late[: len(late) * 2 // 3],
        "text.mp4": b"this is no video\n" * 50,
        "playlist.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://{silent}\n#EXT-X-ENDLIST\n".encode(),
        "script.mp4": f"ffconcat version 1.0\nfile '{silent.name}'\n".encode(),
    }
    hole = bytearray(whole)
    hole[len(whole) // 2 : len(whole) // 2 + 400] = b"\xff" * 400
    files["hole.mp4"] = bytes(hole)
    for name, content in files.items():
        (tmp_path / "media" / name).write_bytes(content)
    foreign = "is no video, image or sound that ffmpeg can open, or it is damaged"
    wanted = {"empty.mp4": "is empty (0 bytes)", "cut.mp4": "is cut off", "hole.mp4": "is damaged ("}
    for name in files:
        with pytest.raises(UnreadableMedia) as caught:
            read_frames(tmp_path / "media" / name, 32, 32)
        assert str(caught.value).startswith(wanted.get(name, foreign)), name
        with pytest.raises(UnreadableMedia):
            read_sound(tmp_path / "media" / name, 16_000)
    for path, problem in ((silent, "is silent"), (mute, "has no sound")):
        assert len(read_frames(path, 32, 32))
        with pytest.raises(UnreadableMedia, match=problem):
            read_sound(path, 16_000)
    with pytest.raises(UnreadableMedia, match="has no picture"):
        read_frames(make("tone.wav", *TONE), 32, 32)


@pytest.mark.parametrize("name", ["clip.mp4", "image.png", "tone.wav"])
def test_changed_bytes_give_a_vector_or_a_reason(make: Make, name: str) -> None:
    made = {"clip.mp4": (*BARS, *TONE, *H264, "-shortest"), "image.png": (*RED, "-frames:v", "1"), "tone.wav": TONE}
    clip = make(name, *made[name], "-t", "1")
    content = clip.read_bytes()
    rng, reasons = np.random.default_rng(13), set()
    for draw in range(12):
        changed = bytearray(content)
        for place in rng.integers(0, len(content) if draw % 2 else min(400, len(content)), size=8):
            changed[place] = rng.integers(256)
        broken = clip.with_name(f"broken{clip.suffix}")
        broken.write_bytes(changed)
        for function, *sizes in ((read_frames, 32, 32), (read_sound, 16_000)):
            try:
                assert np.isfinite(function(broken, *sizes)).all()
            except UnreadableMedia as error:
                reasons.add(str(error))
    assert reasons and not any("0x" in reason and "@" in reason for reason in reasons)  # nothing that differs each time


def test_without_ffmpeg_the_line_to_type_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(decode, "ffmpeg", decode.ffmpeg.__wrapped__)
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"pip install 'hyperctr\[media\]'"):
        decode.ffmpeg()


def test_an_ffmpeg_that_was_killed_is_no_damaged_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    killed, media = tmp_path / "ffmpeg", tmp_path / "a.mp4"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(killed.stat().st_mode | stat.S_IXUSR)
    media.write_bytes(os.urandom(10))
    monkeypatch.setattr(decode, "ffmpeg", lambda: str(killed))
    with pytest.raises(DataError, match="a.mp4: ffmpeg was ended by signal 9; run the same again"):
        read_frames(media, 32, 32)
