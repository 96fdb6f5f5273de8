"""A real Tidings in a process of its own, started as an operator starts it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TIDINGS = Path(sys.executable).parent / "tidings"


@dataclass
class Instance:
    """Where it is, how to command it, and its simulator's ports."""

    folder: Path
    url: str
    key: str = ""
    simulator: dict[str, int] = field(default_factory=dict)
    pid: int = 0
    setup_url: str = ""

    @property
    def autopush(self) -> str:
        return f"ws://127.0.0.1:{self.simulator['autopush']}/"

    @property
    def site(self) -> str:
        return f"http://localhost:{self.simulator['site']}"

    async def command(self, *arguments: str, code: int = 0) -> str:
        """Run `tidings` beside the server and give what it prints; the exit code must be `code`."""
        process = await asyncio.create_subprocess_exec(
            TIDINGS,
            *arguments,
            "--data",
            str(self.folder),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "NO_COLOR": "1"},
        )
        out, err = await asyncio.wait_for(process.communicate(), 90)
        assert process.returncode == code, (arguments, out.decode(), err.decode())
        return out.decode() + err.decode()

    async def rest(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the REST API with an API key."""
        return await asyncio.to_thread(self._rest, method, path, body, headers)

    async def done(self, path: str) -> dict[str, Any]:
        """Wait until the notification or the event at that path is done; give it."""
        async with asyncio.timeout(120):
            while (found := await self.rest("GET", path))["status"] != "done":
                await asyncio.sleep(0.1)
        return dict(found)

    def _rest(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        request = Request(
            f"{self.url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {self.key}",
                "content-type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urlopen(request, timeout=20) as answer:
                text = answer.read()
        except HTTPError as problem:
            with problem:
                raise AssertionError(f"{method} {path}: {problem.code} {problem.read().decode()}") from problem
        return json.loads(text) if text else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running_server(
    folder: Path,
    *,
    hosts: Sequence[str] = (),
    contact: str | None = "mailto:ops@example.com",
    port: int | None = None,
) -> AsyncIterator[Instance]:
    """Run `tidings up` on `folder/data` with simulated push services allowed, until the block ends or it is killed.

    `hosts` says where the push services are, as TIDINGS_PUSH_HOST_MAP does. Without a `contact` it makes no VAPID key.
    Without a `port` it takes a free one.
    """
    port, data = port or free_port(), folder / "data"
    log = folder / f"up-{port}-{time.monotonic_ns()}.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [TIDINGS, "up", "--port", str(port), "--data", str(data), *(["--contact", contact] if contact else [])],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "NO_COLOR": "1",
                "TIDINGS_ALLOW_INSECURE_ENDPOINTS": "1",
                "TIDINGS_PUSH_HOST_MAP": ",".join(hosts),
            },
        )
    try:
        await _said(process, log, "Ctrl-C stops everything")
        # Only while nobody is a member is there a link.
        links = re.findall(r"Set-up link\s+(\S+)", log.read_text())
        yield Instance(folder=data, url=f"http://localhost:{port}", pid=process.pid, setup_url="".join(links))
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 40)


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[Instance]:
    """Run `tidings up --demo` until the block ends; it must then end by itself, and cleanly."""
    port = free_port()
    data = folder / "data"
    log = folder / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [TIDINGS, "up", "--demo", "--port", str(port), "--data", str(data)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NO_COLOR": "1"},
        )
    try:
        instance = await _ready(process, Instance(folder=data, url=f"http://localhost:{port}"), log)
        made = json.loads(await instance.command("key", "create", "--name", "test", "--json"))
        instance.key = made["key"]
        yield instance
    finally:
        process.terminate()
        try:
            code = await asyncio.to_thread(process.wait, 30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
    assert code == 0, log.read_text()


async def _ready(process: subprocess.Popen[bytes], instance: Instance, log: Path) -> Instance:
    await _said(process, log, "Ctrl-C stops everything")
    (instance.setup_url,) = re.findall(r"Set-up link\s+(\S+)", log.read_text())
    (ports,) = instance.folder.rglob("simulator/ports.json")
    instance.simulator = json.loads(ports.read_text())
    return instance


async def _said(process: subprocess.Popen[bytes], log: Path, words: str) -> None:
    # What starts here is two servers and their senders, and the machine may have other work.
    async with asyncio.timeout(180):
        while words not in log.read_text():
            assert process.poll() is None, log.read_text()
            await asyncio.sleep(0.1)
