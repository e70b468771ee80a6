"""Downloads public data sets: resumable, checked against pinned SHA-256, licences shown first."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import re
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hyperctr.errors import DataError
from hyperctr.runtime import write_atomic

logger = logging.getLogger(__name__)
CHUNK_BYTES = 1 << 18
LARGEST_MEMBER_BYTES = 1 << 28  # no file we want is near; stops an archive that unpacks without end


@dataclass(frozen=True)
class Source:
    """One public download.

    Attributes:
        urls: addresses of the same file, tried in order.
        files: path below the data folder -> SHA-256 of the file that must end there.
        member_of: "" for a plain file; else the archive's local name, whose members are ``files`` by their own paths.
        licence: shown before anything is fetched.
    """

    urls: tuple[str, ...]
    files: Mapping[str, str]
    licence: str
    member_of: str = ""


GROUPLENS = (
    "MovieLens ml-latest-small, (c) GroupLens, University of Minnesota: for research, not for commercial or "
    "revenue-bearing purposes without permission; no endorsement may be implied; may be redistributed, also "
    "transformed, under the same conditions; acknowledge it by citing Harper and Konstan 2015, The MovieLens "
    "Datasets: History and Context, ACM TiiS 5(4), https://doi.org/10.1145/2827872. Full text: README.txt "
    "beside the data."
)
MMTF = (
    "MMTF-14K trailer features (Deldjoo et al. 2018, MMTF-14K: a multifaceted movie trailer feature dataset, "
    "MMSys), as re-published by github.com/RecSys-lab/reproducibility_data under Apache-2.0; the licence of "
    "the original release was not verified."
)
_MMTF_RAW = "https://raw.githubusercontent.com/RecSys-lab/reproducibility_data"
VISUAL_FILE = "mmtf-14k/fused_llm_mmtf_avf_med.csv"
ACOUSTIC_FILE = "mmtf-14k/fused_llm_mmtf_audio_IVec_splitItem_fold_1_gmm_32_tvDim_20.csv"
_VISUAL, _ACOUSTIC = Path(VISUAL_FILE).name, Path(ACOUSTIC_FILE).name

ML_TRAILERS = (
    Source(
        urls=("https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",),
        files={
            "ml-latest-small/README.txt": "63d22ac138e80fae37021797ed8e1b9424b5239dc576a137422adf783ae3f404",
            "ml-latest-small/movies.csv": "5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07",
            "ml-latest-small/ratings.csv": "aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646",
            "ml-latest-small/tags.csv": "92a9f8bb7916dceef6151209845788c3643f794dfa79d1feaec7121b5960399d",
        },
        licence=GROUPLENS,
        member_of="ml-latest-small.zip",
    ),
    Source(
        # The publisher's branch first; then the commit in which the same file lay in another folder.
        urls=(
            f"{_MMTF_RAW}/main/fused_textual_visual/{_VISUAL}",
            f"{_MMTF_RAW}/6e12b700d6b9b924e52d18c725718ed3e17c5841/fused_textual_audio/{_VISUAL}",
        ),
        files={VISUAL_FILE: "845102b75e894d11faae46907d86205dc419b8ce8ce56a055086de3781305892"},
        licence=MMTF,
    ),
    Source(
        urls=(
            f"{_MMTF_RAW}/main/fused_textual_audio/i-vector/{_ACOUSTIC}",
            f"{_MMTF_RAW}/60035c947b16943af970d7281ed42c73f06a922e/fused_textual_audio/i-vector/{_ACOUSTIC}",
        ),
        files={ACOUSTIC_FILE: "c853d9f990c2b13b0e9539e9ab9675a1c650f35e3045ed72d56f6769c97c7e39"},
        licence=MMTF,
    ),
)


def download(
    sources: Sequence[Source],
    root: str | Path,
    *,
    say: Callable[[str], None] = logger.warning,
    attempts: int = 3,
    timeout_seconds: float = 30.0,
) -> Path:
    """Bring every file of ``sources`` into ``root``; files already there and right are left alone.

    Args:
        sources: what to fetch.
        root: the data folder, created where needed; it is returned.
        say: receives the licences and what is going on, a line a call (by default the log, shown on stderr).
        attempts: tries an address, each resuming where the last one broke off.
        timeout_seconds: silence after which a connection counts as broken.

    Raises:
        DataError: no network, a file that is not the pinned one, or another file standing in the way.
    """
    folder = Path(root)
    wanted = [source for source in sources if not all(_is_right(folder / f, sha) for f, sha in source.files.items())]
    for licence in dict.fromkeys(source.licence for source in wanted):
        say(f"licence: {licence}")
    for source in wanted:
        for name, expected in source.files.items():
            path = folder / name
            if path.exists() and not _is_right(path, expected):
                hashes = f"SHA-256 is {sha256(path)}, expected {expected}"
                raise DataError(f"{path}: is not the file expected: {hashes}; move it away, then download again")
        target = folder / (source.member_of or next(iter(source.files)))
        say(f"downloading {source.urls[0]} to {target}")
        part = _fetch_any(source.urls, target, attempts, timeout_seconds)
        try:
            contents = _members(part, source.files, target) if source.member_of else {target: part.read_bytes()}
            for path, content in contents.items():
                expected = source.files[path.relative_to(folder).as_posix()]
                got = hashlib.sha256(content).hexdigest()
                if got != expected:
                    raise DataError(
                        f"{path}: the download is not the file expected: SHA-256 is {got}, expected "
                        f"{expected}; nothing was kept. Try again; if it stays so, the publisher changed "
                        f"{source.urls[0]}: get the original file elsewhere, put it at {path} and load it "
                        f"with data_dir={folder}"
                    )
            for path, content in contents.items():
                write_atomic(path, content)
        finally:
            part.unlink(missing_ok=True)  # complete, so either used up or useless
    return folder


def _fetch_any(urls: tuple[str, ...], target: Path, attempts: int, timeout_seconds: float) -> Path:
    """Fetch the first address that exists into ``<target>.part`` and return that path."""
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    failure = "no address given"
    for url in urls:
        for attempt in range(attempts):
            try:
                _fetch(url, part, timeout_seconds)
                return part
            except urllib.error.HTTPError as error:
                failure = f"{url} answered {error.code} {error.reason}"
                if error.code < 500:
                    break  # it will not get better: try the next address
            except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
                failure = f"{url}: {getattr(error, 'reason', None) or error}"
            logger.info("attempt %d of %d failed: %s", attempt + 1, attempts, failure)
    kept = f" {part.stat().st_size:,} bytes are kept in {part};" if part.exists() and part.stat().st_size else ""
    raise DataError(
        f"cannot download {target.name} ({failure});{kept} check the network or the proxy and run the same "
        f"command again to continue, or put the files into {target.parent} by hand"
    )


def _fetch(url: str, part: Path, timeout_seconds: float) -> None:
    """Append what is missing of ``url`` to ``part``; a server without Range support sends all of it again.

    Raises:
        OSError: the connection failed or ended early; ``part`` holds what came.
    """
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "hyperctr", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=timeout_seconds)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is missing, or the part belongs to another version
            size = re.search(r"\*/(\d+)", error.headers.get("Content-Range", ""))
            if size and int(size[1]) == have:
                return
            os.truncate(part, 0)
            raise ConnectionError("the part on disk did not fit; starting over") from error
        raise
    with response:
        start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        resumed = response.status == 206 and start is not None and int(start[1]) == have
        length = response.headers.get("Content-Length")
        received = 0
        with open(part, "ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                received += len(chunk)
        if length is not None and received < int(length):
            raise ConnectionError(f"the connection ended after {received:,} of {int(length):,} bytes")


def _members(archive: Path, files: Mapping[str, str], target: Path) -> dict[Path, bytes]:
    """Read exactly the wanted members: no name from the archive ever becomes a path on this machine."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = {info.filename: info for info in opened.infolist()}
            for name in files:
                if name not in members:
                    raise DataError(f"{target}: the archive holds no {name!r}; the publisher changed it")
                if members[name].file_size > LARGEST_MEMBER_BYTES:
                    size = f"{members[name].file_size:,} bytes"
                    raise DataError(f"{target}: {name!r} unpacks to {size}; not the file expected")
            return {target.parent / name: opened.read(members[name]) for name in files}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{target}: the download is not a readable zip archive ({error}); download again") from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_right(path: Path, expected: str) -> bool:
    return path.is_file() and sha256(path) == expected
