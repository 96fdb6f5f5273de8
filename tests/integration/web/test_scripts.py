"""The SDK, its parts and the worker as sites load them, in this process and over a real socket."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import itertools
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import problem

from tidings.cli.serving import served
from tidings.storage import StoreUnavailable
from tidings.web.public import scripts
from tidings.wiring import Container

SOURCE = b"console.log(1)\n" * 100
VERSION = hashlib.sha256(SOURCE * len(scripts.PARTS)).hexdigest()[:10]
SITE = "https://www.example.org"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in scripts.NAMES:
        (tmp_path / name).write_bytes(SOURCE)
    monkeypatch.setattr(scripts, "FOLDER", tmp_path)
    return tmp_path


def config_of(answer: httpx2.Response) -> dict[str, str]:
    line = answer.text.partition("\n")[0]
    config: dict[str, str] = json.loads(line.removeprefix("self.__tidings=").removesuffix(";"))
    return config


async def test_each_is_javascript_for_every_page_with_and_without_the_apps_id(
    browser: httpx2.AsyncClient, container: Container, built: Path
) -> None:
    app = await container.apps.ensure_first()
    for name, folder in itertools.product(scripts.NAMES, ("/push", f"/v1/{app.public_id}/push")):
        # Of an origin that may not subscribe: it reads the script, so that the SDK can say what is wrong.
        answer = await browser.get(f"{folder}/{name}", headers={"Origin": "https://unknown.example"})
        assert answer.status_code == 200
        assert answer.content.endswith(SOURCE)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["vary"] == "Accept-Encoding"
        worker = name.startswith("service-worker")
        assert ("service-worker-allowed" in answer.headers) == worker
        # A worker's own requests are held to this: without it no receipt would leave the browser.
        assert ("connect-src *" in answer.headers["content-security-policy"]) == worker
        if name not in scripts.PARTS:
            assert config_of(answer) == {"server": "https://push.example.com", "app": app.public_id}


async def test_a_worker_may_have_the_whole_site(browser: httpx2.AsyncClient, built: Path) -> None:
    for name in scripts.WORKERS:
        assert (await browser.get(f"/push/{name}")).headers["service-worker-allowed"] == "/"


async def test_the_page_knows_the_key_of_this_moment_and_the_worker_is_not_renewed_for_it(
    browser: httpx2.AsyncClient, container: Container, built: Path
) -> None:
    app = await container.apps.ensure_first()
    worker = (await browser.get("/push/service-worker.js")).headers["etag"]
    change = await container.credentials.generate(app.id, "webpush", settings={"subject": "mailto:ops@example.com"})
    for name in scripts.PAGES:
        assert config_of(await browser.get(f"/push/{name}"))["key"] == change.credential.fingerprint
    assert (await browser.get("/push/service-worker.js")).headers["etag"] == worker


async def test_a_part_is_kept_for_ever_under_its_own_version_alone(browser: httpx2.AsyncClient, built: Path) -> None:
    kept = await browser.get(f"/push/banner.js?v={VERSION}")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.content == SOURCE
    # A page of before the update asks with the old version: what it gets must not be kept under that.
    for query in ("?v=0123456789", "?v=", "", f"?w={VERSION}"):
        assert (await browser.get(f"/push/banner.js{query}")).headers["cache-control"] == "no-cache", query
    # What every site loads first is asked for again, whatever it is called.
    for name in scripts.PAGES + scripts.WORKERS:
        assert (await browser.get(f"/push/{name}?v={VERSION}")).headers["cache-control"] == "no-cache"


async def test_an_unknown_app_and_a_busy_database_are_said_to_every_page(
    browser: httpx2.AsyncClient, container: Container, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await browser.get("/v1/app_none/push/sdk.js", headers={"Origin": SITE})
    problem(answer, 404, "app_not_found")
    assert answer.headers["access-control-allow-origin"] == "*"

    async def busy(_: str | None) -> None:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(container.apps, "resolve", busy)
    answer = await browser.get("/push/sdk.js", headers={"Origin": SITE})
    problem(answer, 503, "service_busy")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert int(answer.headers["retry-after"]) > 0


async def test_a_preflight_is_let_through_and_other_methods_are_not(browser: httpx2.AsyncClient, built: Path) -> None:
    asked = {"Origin": SITE, "Access-Control-Request-Method": "GET"}
    answer = await browser.options("/push/banner.js", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    problem(await browser.post("/push/banner.js", json={}), 405, "method_not_allowed")


async def test_scripts_that_are_not_built_say_how_to_build_them(
    browser: httpx2.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "FOLDER", tmp_path)
    for name in scripts.NAMES:
        assert "make sdk" in problem(await browser.get(f"/push/{name}"), 503, "sdk_not_built")["detail"]


def test_the_line_before_a_script_cannot_be_broken_out_of() -> None:
    line = scripts.config_line("https://x/</script><script>alert(1)//\u2028", "app")
    assert b"<" not in line
    assert "\u2028".encode() not in line
    assert line.count(b"\n") == 1


@dataclass(frozen=True)
class Answer:
    """What came over the socket, to its end."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Wire:
    """A real server on loopback."""

    port: int

    async def ask(self, request: str, **headers: str) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        named = {"Host": "push.example.com", "Connection": "close", **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items()]
        writer.write("\r\n".join([f"{request} HTTP/1.1", *lines, "", ""]).encode())
        async with asyncio.timeout(60):
            raw = await reader.read()
        writer.close()
        head, _, body = raw.partition(b"\r\n\r\n")
        status, _, fields = head.partition(b"\r\n")
        return Answer(int(status.split()[1]), BytesParser().parsebytes(fields), body)


@pytest.fixture
async def wire(app: FastAPI, built: Path) -> AsyncIterator[Wire]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with served(app, listener, stopping=app.state.stopping):
            yield Wire(listener.getsockname()[1])


async def test_head_tells_the_length_and_sends_nothing(wire: Wire) -> None:
    whole, head = await wire.ask("GET /push/sdk.js"), await wire.ask("HEAD /push/sdk.js")
    assert (whole.status, head.status) == (200, 200)
    assert int(whole.headers["content-length"]) == len(whole.body) > len(SOURCE)
    assert head.body == b""
    for name in ("content-length", "content-type", "etag", "cache-control", "access-control-allow-origin"):
        assert head.headers[name] == whole.headers[name]


async def test_scripts_are_asked_for_again_and_sent_only_when_they_changed(wire: Wire, built: Path) -> None:
    etag = (await wire.ask("GET /push/service-worker.js")).headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', etag)
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        for method in ("GET", "HEAD"):
            same = await wire.ask(f"{method} /push/service-worker.js", If_None_Match=known)
            assert (same.status, same.body) == (304, b"")
            assert same.headers["etag"] == etag
            assert same.headers["cache-control"] == "no-cache"
            assert same.headers["service-worker-allowed"] == "/"
            assert same.headers["access-control-allow-origin"] == "*"
            assert "content-encoding" not in same.headers
    (built / "service-worker.js").write_bytes(b"console.log(2)\n")
    changed = await wire.ask("GET /push/service-worker.js", If_None_Match=etag)
    assert changed.status == 200
    assert changed.body.endswith(b"console.log(2)\n")


async def test_scripts_are_packed_for_those_who_take_it(wire: Wire) -> None:
    for accepted in ("gzip", "gzip, deflate, br, zstd", "br, gzip;q=0.5", "gzip; q=1.0"):
        packed = await wire.ask("GET /push/sdk.js", Accept_Encoding=accepted)
        assert packed.headers["content-encoding"] == "gzip", accepted
    plain = await wire.ask("GET /push/sdk.js")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) / 4
    # Another representation, another tag: a cache must not answer one with the other.
    assert packed.headers["etag"] != plain.headers["etag"]
    etag = packed.headers["etag"]
    again = await wire.ask("GET /push/sdk.js", Accept_Encoding="gzip", If_None_Match=etag)
    assert (again.status, again.headers["etag"]) == (304, etag)
    assert (await wire.ask("GET /push/sdk.js", If_None_Match=etag)).status == 200


async def test_scripts_are_plain_for_those_who_do_not(wire: Wire) -> None:
    for accepted in ("", "identity", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip"):
        answer = await wire.ask("GET /push/sdk.js", Accept_Encoding=accepted)
        assert "content-encoding" not in answer.headers, accepted
        assert answer.body.endswith(SOURCE)
