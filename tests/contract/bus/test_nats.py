"""Between processes: doorbells cross a real NATS server, and its absence costs them alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog.testing
import trustme
from nats.aio.client import Client

from support.nats import NatsServer
from tidings.bus import Bell, BusRefused, Doorbell, bus_from
from tidings.bus import nats as bus_nats
from tidings.bus.nats import NatsBus

BACK = [Doorbell(bell, 0) for bell in Bell]
"""What rings when a connection is there: look, whatever was missed."""


class Ear:
    """A bus of its own, as another process has it, and what it hears."""

    def __init__(self, url: str) -> None:
        self.bus = NatsBus(url)
        self._heard = self.bus.listen()

    async def next(self) -> Doorbell:
        return await asyncio.wait_for(anext(self._heard), 30)

    async def until(self, doorbell: Doorbell) -> list[Doorbell]:
        """Give what was heard before it."""
        before = []
        while (one := await self.next()) != doorbell:
            before.append(one)
        return before


@asynccontextmanager
async def ears(*urls: str) -> AsyncIterator[list[Ear]]:
    made = [Ear(url) for url in urls]
    try:
        for one in made:
            await asyncio.wait_for(one.bus.connected(), 30)
            assert [await one.next() for _ in BACK] == BACK
        yield made
    finally:
        for one in made:
            await one.bus.close()


async def test_what_one_rings_the_others_hear_once_and_in_order(nats: NatsServer) -> None:
    async with ears(nats.url, nats.url, nats.url) as three:
        rung = [Doorbell(bell, number) for number in (1, 2, 9_223_372_036_854_775_807) for bell in Bell]
        for doorbell in rung:
            await three[0].bus.ring(doorbell)
        for ear in three:
            assert [await ear.next() for _ in rung] == rung, "also whoever rings, and not twice"
        await three[1].bus.ring(Doorbell(Bell.WORK, 4))
        assert [await ear.next() for ear in three] == [Doorbell(Bell.WORK, 4)] * 3


async def test_it_says_connected_only_when_the_server_has_read_the_subscription(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, "-V")
    server.start()
    try:
        async with ears(server.url):
            read = [line.partition("<<- [")[2] for line in server.log().splitlines() if "<<- [" in line]
        subscribed = next(at for at, one in enumerate(read) if one.startswith("SUB tidings.*"))
        assert "PING]" in read[subscribed:], f"answered after the subscription: {read}"
    finally:
        server.kill()


async def test_a_server_that_is_killed_and_comes_back_empty_costs_its_doorbells_alone(nats: NatsServer) -> None:
    async with ears(nats.url, nats.url) as (here, there):
        nats.kill()
        await here.bus.ring(Doorbell(Bell.WORK, 1))
        assert await here.next() == Doorbell(Bell.WORK, 1), "within the process it rings on"
        nats.start()
        for one in (here, there):
            # What rang meanwhile may be lost, and may come late; whoever is back looks once in any case.
            assert set(await one.until(BACK[-1])) <= {*BACK, Doorbell(Bell.WORK, 1)}
        await here.bus.ring(Doorbell(Bell.CONTROL, 2))
        assert set(await there.until(Doorbell(Bell.CONTROL, 2))) <= {Doorbell(Bell.WORK, 1)}


async def test_a_server_that_answers_no_more_is_left_and_found_again(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_nats, "PING_SECONDS", 0.2)
    monkeypatch.setattr(bus_nats, "CONNECT_SECONDS", 2)
    with structlog.testing.capture_logs() as logged:
        async with ears(nats.url, nats.url) as (here, there):
            nats.freeze()
            await _until(lambda: any("StaleConnection" in str(one.get("said")) for one in logged))
            nats.thaw()
            for one in (here, there):
                await one.until(BACK[-1])
            await here.bus.ring(Doorbell(Bell.WORK, 3))
            await there.until(Doorbell(Bell.WORK, 3))


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"INFO []\r\n",
        b'INFO {"connect_urls": 5}\r\n',
        b"INFO {}\r\n-ERR \xff\r\n",
        b"INFO " + b"x" * 200_000,
    ],
    ids=["http", "list", "urls", "no utf-8", "no end"],
)
async def test_what_is_no_nats_server_is_said_and_tried_again(greeting: bytes, nats: NatsServer) -> None:
    nats.kill()
    tries = 0

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writer.write(greeting)
        await reader.read(1)
        writer.close()

    stranger = await asyncio.start_server(greet, nats.host, urlsplit(nats.url).port)
    with structlog.testing.capture_logs() as logged:
        ear = Ear(nats.url)
        await _until(lambda: tries >= 2)
        assert [one["event"] for one in logged][:1] == ["bus_lost"]
        stranger.close()
        nats.start()
        await ear.until(BACK[-1])
    await ear.bus.close()


async def test_a_server_that_comes_later_is_found(nats: NatsServer) -> None:
    nats.kill()
    here, there = Ear(nats.url), Ear(nats.url)
    try:
        await asyncio.wait_for(here.bus.ring(Doorbell(Bell.WORK, 1)), 30)
        nats.start()
        for one in (here, there):
            await asyncio.wait_for(one.bus.connected(), 60)
            await one.until(BACK[-1])
        await there.bus.ring(Doorbell(Bell.WORK, 2))
        await here.until(Doorbell(Bell.WORK, 2))
    finally:
        await here.bus.close()
        await there.bus.close()


async def test_instances_that_share_a_server_do_not_hear_each_other(nats: NatsServer) -> None:
    async with ears(f"{nats.url}/site-a", f"{nats.url}/site-b", f"{nats.url}/site-a") as (a, b, a_too):
        await a.bus.ring(Doorbell(Bell.WORK, 1))
        await b.bus.ring(Doorbell(Bell.WORK, 2))
        assert [await a_too.next(), await b.next()] == [Doorbell(Bell.WORK, 1), Doorbell(Bell.WORK, 2)]


async def test_what_nobody_of_us_wrote_rings_no_bell(nats: NatsServer) -> None:
    client = Client()
    await client.connect(nats.url)
    async with ears(nats.url) as (ear,):
        with structlog.testing.capture_logs() as logged:
            for subject, data in (
                ("tidings.work", b"-1"),
                ("tidings.work", b"1" * 20),
                ("tidings.work", "\u0665".encode()),
                ("tidings.work", b""),
                ("tidings.quake", b"1"),
                ("tidings.work", b"1\n2"),
            ):
                await client.publish(subject, data)
            await client.publish("tidings.work", b"5")
            assert await ear.next() == Doorbell(Bell.WORK, 5)
        assert [one["event"] for one in logged] == ["bus_unreadable"] * 6
    await client.close()


async def test_a_wrong_password_is_said_and_holds_up_nobody(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, "--user", "tidings", "--pass", "right-one")
    server.start()
    try:
        with structlog.testing.capture_logs() as logged:
            wrong = Ear(server.url.replace("//", "//tidings:wrong-one@"))
            async with ears(server.url.replace("//", "//tidings:right-one@")) as (ear,):
                await wrong.bus.ring(Doorbell(Bell.WORK, 3))
                assert await wrong.next() == Doorbell(Bell.WORK, 3)
                await _until(lambda: any(one["event"] == "bus_lost" for one in logged))
                await ear.bus.ring(Doorbell(Bell.WORK, 4))
                assert await ear.next() == Doorbell(Bell.WORK, 4), "and nothing of who may not come in"
            await wrong.bus.close()
        assert any("uthorization" in one["said"] for one in logged if one["event"] == "bus_lost")
        assert "wrong-one" not in str(logged)
    finally:
        server.kill()


async def test_over_tls_only_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    files = {name: tmp_path / name for name in ("cert.pem", "key.pem", "ca.pem")}
    server = NatsServer(tmp_path, "--tls", "--tlscert", str(files["cert.pem"]), "--tlskey", str(files["key.pem"]))
    issued = authority.issue_cert(server.host)
    issued.cert_chain_pems[0].write_to_path(files["cert.pem"])
    issued.private_key_pem.write_to_path(files["key.pem"])
    authority.cert_pem.write_to_path(files["ca.pem"])
    server.start()
    url = server.url.replace("nats:", "tls:")
    try:
        with structlog.testing.capture_logs() as logged:
            stranger = Ear(url)
            await _until(lambda: any("certificate" in str(one.get("said")) for one in logged))
            await stranger.bus.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(files["ca.pem"]))
        async with ears(url, url) as (here, there):
            await here.bus.ring(Doorbell(Bell.WORK, 1))
            assert await there.next() == Doorbell(Bell.WORK, 1)
    finally:
        server.kill()


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "url",
    [
        "nats://",
        "nats:///place",
        "nats://nats.example.com:0",
        "nats://nats.example.com:65536",
        "nats://nats.example.com:port",
        "nats://[::1",
        "nats://nats.example.com/a b",
        "nats://nats.example.com/*",
        "nats://nats.example.com/>",
        "nats://nats.example.com/a..b",
        "nats://nats.example.com/a?b",
        "nats://nats.example.com/a#b",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_its_mend(url: str) -> None:
    with pytest.raises(BusRefused, match=r"TIDINGS_BUS_URL .*nats://user:password@nats\.example\.com:4222"):
        bus_from(url)


def test_where_the_client_is_missing_it_says_how_to_install_it(tmp_path: Path) -> None:
    script = "import sys; sys.modules['nats'] = None; from tidings.bus import bus_from; bus_from('nats://127.0.0.1')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "pip install 'tidings[nats]'" in done.stderr
