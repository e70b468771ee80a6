"""The downloader against a server on loopback: resumed, damaged, changed, without Range, gone."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hyperctr.data.download import Source, download
from hyperctr.errors import DataError

CONTENT = bytes(range(256)) * 4000  # 1 MB


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files``; behaves as ``server.mode`` says and notes every Range asked for."""

    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.path not in self.server.files:
            self.send_error(404)
            return
        body, start = self.server.files[self.path], 0
        if asked and self.server.mode != "no range":
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end = len(body)
        if self.server.breaks:  # the cable is pulled after some more bytes
            self.server.breaks -= 1
            end = start + 300_000
        self.wfile.write(body[start:end])
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    files: dict[str, bytes]
    ranges: list[str | None]
    mode = ""
    breaks = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = Server(("127.0.0.1", 0), Handler)
    running.files, running.ranges = {"/big.csv": CONTENT}, []
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plain(*urls: str, content: bytes = CONTENT) -> Source:
    return Source(urls=urls, files={"folder/big.csv": sha(content)}, licence="be kind")


def test_fetches_once_and_shows_the_licence_once(server: Server, tmp_path: Path) -> None:
    said: list[str] = []
    source = plain(server.url("/big.csv"))
    assert download([source], tmp_path, say=said.append) == tmp_path
    assert (tmp_path / "folder" / "big.csv").read_bytes() == CONTENT
    assert said[0] == "licence: be kind"
    assert len(said) == 2
    download([source], tmp_path, say=said.append)
    assert (len(said), server.ranges) == (2, [None])
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["big.csv"]


def test_resumes_within_a_call_and_across_calls(server: Server, tmp_path: Path) -> None:
    source, target = plain(server.url("/big.csv")), tmp_path / "folder" / "big.csv"
    server.breaks = 1
    download([source], tmp_path)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-"]

    target.unlink()
    server.breaks, server.ranges = 2, []
    with pytest.raises(DataError, match=r"ended after 300,000 of .*600,000 bytes are kept in .*same command again"):
        download([source], tmp_path, attempts=2)
    assert not target.exists()
    download([source], tmp_path)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=600000-"]


def test_a_server_without_range_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.mode, server.breaks = "no range", 1
    download([plain(server.url("/big.csv"))], tmp_path)
    assert (tmp_path / "folder" / "big.csv").read_bytes() == CONTENT


@pytest.mark.parametrize(("part", "requests"), [(CONTENT, 1), (CONTENT + b"more", 2)])
def test_a_complete_or_overlong_part_is_settled(server: Server, tmp_path: Path, part: bytes, requests: int) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "big.csv.part").write_bytes(part)
    download([plain(server.url("/big.csv"))], tmp_path)
    assert (tmp_path / "folder" / "big.csv").read_bytes() == CONTENT
    assert len(server.ranges) == requests


def test_a_wrong_checksum_keeps_nothing(server: Server, tmp_path: Path) -> None:
    source = plain(server.url("/big.csv"), content=b"another")
    with pytest.raises(DataError) as caught:
        download([source], tmp_path)
    message = str(caught.value)
    assert sha(CONTENT) in message
    assert f"expected {sha(b'another')}" in message
    assert str(tmp_path / "folder" / "big.csv") in message
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_file_in_the_way_is_never_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "big.csv").write_text("mine")
    with pytest.raises(DataError, match="is not the file expected.*move it away"):
        download([plain(server.url("/big.csv"))], tmp_path)
    assert (tmp_path / "folder" / "big.csv").read_text() == "mine"


def test_the_next_address_is_tried_and_dead_ones_are_named(server: Server, tmp_path: Path) -> None:
    download([plain(server.url("/gone.csv"), server.url("/big.csv"))], tmp_path / "a")
    assert (tmp_path / "a" / "folder" / "big.csv").read_bytes() == CONTENT
    with pytest.raises(DataError, match=r"cannot download big.csv \(.*gone.csv answered 404"):
        download([plain(server.url("/gone.csv"))], tmp_path / "b")
    with pytest.raises(DataError, match=r"127.0.0.1:9/x: .*[Rr]efused.*check the network.*by hand"):
        download([plain("http://127.0.0.1:9/x")], tmp_path / "c")


def archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_gives_exactly_the_pinned_members(server: Server, tmp_path: Path) -> None:
    members = {"set/a.csv": b"a", "set/b.csv": b"b", "../evil.csv": b"evil", "/evil.csv": b"evil"}
    server.files["/set.zip"] = archive(members)
    root = tmp_path / "data"
    wanted = {"set/a.csv": sha(b"a"), "set/b.csv": sha(b"b")}
    source = Source(urls=(server.url("/set.zip"),), files=wanted, licence="be kind", member_of="set.zip")
    download([source], root)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == [
        "data/set/a.csv",
        "data/set/b.csv",
    ]
    (root / "set" / "b.csv").unlink()
    server.files["/set.zip"] = archive(members | {"set/b.csv": b"changed"})
    with pytest.raises(DataError, match=rf"b.csv: the download is not the file expected.*expected {sha(b'b')}"):
        download([source], root)
    server.files["/set.zip"] = archive({"set/a.csv": b"a"})
    with pytest.raises(DataError, match="the archive holds no 'set/b.csv'"):
        download([source], root)
    server.files["/set.zip"] = b"<html>sign in</html>"
    with pytest.raises(DataError, match="set.zip: the download is not a readable zip archive"):
        download([source], root)
    assert not (root / "set" / "b.csv").exists()
