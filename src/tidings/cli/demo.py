"""`tidings up --demo`: simulated push services beside the server, with subscribers and a sample site in the App."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tidings.cli.client import Api
from tidings.cli.demo_people import MARK, READERS, Person, people, peopled
from tidings.cli.demo_phones import PHONES, phones
from tidings.cli.failure import CommandFailed
from tidings.cli.output import Output
from tidings.domain.campaign import FINAL_STATUSES
from tidings.domain.subscription import SubscriptionStatus

if TYPE_CHECKING:
    from tidings.domain.app import App
    from tidings.storage import Transaction
    from tidings.wiring import Container

SUBSCRIBERS = 1000
SEED = 1
PORTS = "ports.json"
CHROMIUM_HOST = "jmt17.google.com"
AT_GOOGLE = ("fcm.googleapis.com/v1/projects/", "oauth2.googleapis.com/token")
AT_APPLE = ("api.push.apple.com", "api-manage-broadcast.push.apple.com")
AT_APPLE_SANDBOX = ("api.sandbox.push.apple.com", "api-manage-broadcast.sandbox.push.apple.com")
PARTS = ("push", "autopush", "control", "site", "gcm", "mcs")
"""What keeps its port, as real browsers know it."""

APPLE = ("apns", "apns_sandbox")
FAULTS = {"gone": 0.02, "throttled": 0.01, "unavailable": 0.02, "slow": 0.01}
READY_SECONDS = 60
END_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator: the addresses of its parts, and how many subscribers it plays, phones among them."""

    push: str
    autopush: str
    control: str
    site: str
    gcm: str
    mcs: str
    apns: str
    apns_sandbox: str
    chromium: list[str]
    ca: str
    subscribers: int = SUBSCRIBERS

    def host_map(self) -> tuple[str, ...]:
        """Give the entries of TIDINGS_PUSH_HOST_MAP: what comes here of pushes to Chromium and to apps.

        Chrome's own are at fcm.googleapis.com too, but not below FCM's path: they go on to Google.
        """
        places = {**dict.fromkeys((CHROMIUM_HOST, *AT_GOOGLE), self.push)}
        places |= dict.fromkeys(AT_APPLE, self.apns) | dict.fromkeys(AT_APPLE_SANDBOX, self.apns_sandbox)
        return tuple(f"{what}=127.0.0.1:{urlsplit(url).port}" for what, url in places.items())


@asynccontextmanager
async def started_simulator(folder: Path) -> AsyncIterator[Simulator]:
    """Run the simulator as a child process; it has a session of its own, so that Ctrl-C reaches us alone."""
    ports = [f"--{name}-port={port}" for name, port in _earlier_ports(folder).items()]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tidings.simulator",
        "--with-parent",
        "--folder",
        str(folder),
        *ports,
        stdin=PIPE,
        stdout=PIPE,
        start_new_session=True,
    )
    try:
        simulator = await _ready(process)
        _keep_ports(folder, simulator)
        yield simulator
    finally:
        await _ended(process)


def _earlier_ports(folder: Path) -> dict[str, int]:
    """Give the ports of the start before that are still free: a browser keeps its permission for the same origin."""
    try:
        kept: dict[str, int] = json.loads((folder / PORTS).read_text())
    except (OSError, ValueError):
        return {}
    return {name: port for name, port in kept.items() if _is_free(port)}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _keep_ports(folder: Path, simulator: Simulator) -> None:
    ports = {name: urlsplit(getattr(simulator, name)).port for name in PARTS}
    (folder / PORTS).write_text(json.dumps(ports))


async def _ready(process: Process) -> Simulator:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
        told = json.loads(line)
        return Simulator(**{name: told[name] for name in (*PARTS, *APPLE, "chromium", "ca")})
    except (TimeoutError, ValueError, KeyError) as error:
        raise CommandFailed(
            "The simulator did not start.", "Run `tidings simulator` alone; what it prints says why."
        ) from error


async def _ended(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


async def furnish(
    api: Api, container: Container, simulator: Simulator, *, vapid_key: str, server: str, out: Output
) -> None:
    """Let the sample site subscribe, and make the simulated subscribers: the same ones at every start.

    Their keys and addresses follow from a seed, so those of an earlier start are still there, with their history. Where
    the simulator did not get its port again their addresses are others, and new ones take their place.
    """
    origins = (await api.get(f"/apps/{api.app}"))["origins"]
    if simulator.site not in origins:
        await api.patch(f"/apps/{api.app}", {"origins": [*origins, simulator.site]})
    await _told(simulator, "/site", {"tidings": server, "app": api.app})
    known = people(seed=SEED)
    app = await container.apps.resolve(api.app)
    await _introduce(container, app, (*known, *READERS))
    with_phones, browsers = await asyncio.gather(
        phones(container, app, partial(_told, simulator), known, seed=SEED),
        _browsers(api, simulator, known, vapid_key=vapid_key, out=out),
    )
    there = with_phones | await container.store.write(partial(there_again, app_id=app.id, endpoints=browsers))
    await _remove_others(api, container, app, there)


async def _browsers(
    api: Api, simulator: Simulator, known: Sequence[Person], *, vapid_key: str, out: Output
) -> list[str]:
    rows = peopled(await _new_subscribers(simulator, vapid_key=vapid_key), known, seed=SEED)
    added = await api.upload("/subscriptions/import", _lines(rows), format="json")
    if added["refused"]:
        out.warn(f"{added['refused']} simulated subscribers were refused: {added['errors'][0]['message']}")
    return [row["endpoint"] for row in rows]


def there_again(tx: Transaction, *, app_id: int, endpoints: Sequence[str]) -> set[str]:
    """Give the ids of the browsers at these addresses; those that were given up meanwhile are there again.

    Not while one of the last 200 notifications waits: its audience was counted without them.
    """
    ids = set()
    waits = any(one.status not in FINAL_STATUSES for one in tx.notifications.page(app_id, after=0, limit=200))
    for endpoint in endpoints:
        if (found := tx.subscriptions.find(app_id, endpoint)) is not None:
            one, _ = found
            ids.add(one.public_id)
            if one.status is not SubscriptionStatus.ACTIVE and not waits:
                tx.subscriptions.set_status(one.id, SubscriptionStatus.ACTIVE, "")
    return ids


async def _new_subscribers(simulator: Simulator, *, vapid_key: str) -> list[Any]:
    wish = {"count": simulator.subscribers - PHONES, "vapid_key": vapid_key, "faults": FAULTS, "seed": SEED}
    made: list[Any] = (await _told(simulator, "/subscribers", wish))["subscriptions"]
    return made


async def _told(simulator: Simulator, path: str, body: dict[str, object]) -> Any:
    import httpx2

    async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
        answer = await http.post(f"{simulator.control}{path}", json=body)
    if answer.status_code >= 400:
        raise CommandFailed(
            f"The simulator refused: {answer.text[:200]}", "Report this; `--demo` should never meet it."
        )
    return answer.json() if answer.content else None


async def _lines(rows: list[Any]) -> AsyncIterator[bytes]:
    for row in rows:
        yield json.dumps(row).encode() + b"\n"


async def _introduce(container: Container, app: App, known: Sequence[Person]) -> None:
    await asyncio.gather(
        *(
            container.users.put(
                app.id, one.external_id, attributes=one.attributes, locale=one.locale, time_zone=one.time_zone
            )
            for one in known
        )
    )


async def _remove_others(api: Api, container: Container, app: App, there: Collection[str]) -> None:
    # Through the service: a thousand requests would take longer than everything else the start does.
    marked = [one["id"] async for one in api.rows("/subscriptions") if MARK.items() <= one["tags"].items()]
    await asyncio.gather(*(container.subscriptions.delete(app.id, one) for one in marked if one not in there))
