"""A way to PostgreSQL that can be severed in the middle of a commit."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict


class Cut(StrEnum):
    """When the way is severed: before the commit reached the server, or after it was done and before anybody knew."""

    BEFORE = "before"
    AFTER = "after"


class Way:
    """What lies between a client and the server. `cut` severs the connection that commits next, that once."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self.cut: Cut | None = None
        self.severed = 0
        self.ends: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until one of its ends is gone."""
        server_reader, server_writer = await asyncio.open_unix_connection(self._backend)
        ends = {writer, server_writer}
        self.ends |= ends
        back = asyncio.create_task(_copied(server_reader, writer))
        try:
            while data := await reader.read(1 << 16):
                if self.cut is not None and b"COMMIT" in data:
                    cut, self.cut = self.cut, None
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    if cut is Cut.AFTER:
                        server_writer.write(data)
                        await server_reader.read(1)  # the server says that it is done, and nobody hears it
                    self.severed += 1
                    return
                server_writer.write(data)
                await server_writer.drain()
        except ConnectionError:
            return
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            self.ends -= ends
            for end in ends:
                end.close()
                with suppress(ConnectionError):
                    await end.wait_closed()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


@contextmanager
def way_to(url: str) -> Iterator[tuple[Way, str]]:
    """Give a way to the server of that URL, which listens on a local socket, and the URL that leads along it.

    It is carried by a thread of its own: opening a store blocks the loop of who opens it.
    """
    parts = conninfo_to_dict(url)
    if not str(parts.get("host", "")).startswith("/"):
        pytest.skip("the given server is not reached by a local socket")
    name = f".s.PGSQL.{parts.get('port', 5432)}"
    way = Way(f"{parts['host']}/{name}")
    folder = Path(tempfile.mkdtemp(prefix="tidings-way-"))
    loop = asyncio.new_event_loop()
    carrying = threading.Thread(target=loop.run_forever, name="tidings-way")
    carrying.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_unix_server(way.carry, folder / name), loop).result(60)
    user, database = parts.get("user", "postgres"), parts["dbname"]
    try:
        yield way, f"postgresql://{user}:@/{database}?host={quote(str(folder), safe='')}"
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server, way), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        carrying.join()
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _ended(server: asyncio.Server, way: Way) -> None:
    server.close()
    for end in way.ends:
        end.transport.abort()
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
