"""How long others wait while 50 wrong sign-ins a second arrive: p99 without them, with them, and with harmless ones.

The wrong ones come from one address, which is soon held back, and then each from another, so that every one of them
has its password looked at if there is time. Beside both, members sign in: from where they are signed in already, and
from somewhere new. Run `python bench/sign_in.py [seconds]` in the environment of a source folder; it starts
`tidings up` on this machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx2

TIDINGS = Path(sys.executable).parent / "tidings"
WRONG_A_SECOND = 50
PATHS = ("/livez", "/api/v1/apps")
KINDS = ("harmless", "from_one", "from_everywhere")
HOME = "198.51.100.1"
PASSWORD = "eleven red herrings"


async def waits(client: httpx2.AsyncClient, path: str, seconds: float) -> list[float]:
    """Ask again and again for so many seconds, one after the other; give how long each took."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        found.append(time.perf_counter() - begun)
        await asyncio.sleep(0.005)
    return found


def address_of(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


async def many(client: httpx2.AsyncClient, kind: str, seconds: float) -> dict[int, int]:
    """Send wrong passwords, half of them for the one member there is, or ask who is signed in; count the statuses."""
    statuses: dict[int, int] = {}
    first = int(time.time()) & 255

    async def one(number: int) -> None:
        email = "anna@example.com" if number % 2 else f"nobody-{number}@example.com"
        whence = "203.0.113.1" if kind == "from_one" else address_of((first << 16) + number)
        headers = {"X-Forwarded-For": whence}
        if kind == "harmless":
            answer = await client.get("/api/v1/session", headers=headers)
        else:
            body = {"email": email, "password": f"wrong {number}"}
            answer = await client.post("/api/v1/session", json=body, headers=headers)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    tasks, begun, number = [], time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        tasks.append(asyncio.create_task(one(number)))
        number += 1
        await asyncio.sleep(max(0.0, begun + number / WRONG_A_SECOND - time.monotonic()))
    await asyncio.gather(*tasks)
    return statuses


async def members(client: httpx2.AsyncClient, seconds: float) -> dict[str, object]:
    """Sign Anna in once a second from where she is signed in, Ben from somewhere new each time; give how that went."""
    took: dict[str, list[float]] = {"at_home": [], "elsewhere": []}
    statuses: Counter[str] = Counter()
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for where, email in (("at_home", "anna@example.com"), ("elsewhere", "ben@example.com")):
            number += 1
            client.cookies.clear()
            whence = HOME if where == "at_home" else f"192.0.2.{number % 255}"
            body, begun = {"email": email, "password": PASSWORD}, time.perf_counter()
            answer = await client.post("/api/v1/session", json=body, headers={"X-Forwarded-For": whence})
            took[where].append(time.perf_counter() - begun)
            statuses[f"{where} {answer.status_code}"] += 1
            await asyncio.sleep(0.5)
    return {"longest_ms": {where: round(max(each) * 1000) for where, each in took.items()}, "statuses": statuses}


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


async def let_in(client: httpx2.AsyncClient, token: str) -> None:
    """Make Anna, the first member, at home; and Ben, whom she invites."""
    at_home = {"X-Forwarded-For": HOME}
    first = {"token": token, "name": "Anna", "email": "anna@example.com", "password": PASSWORD}
    assert (await client.post("/api/v1/setup", json=first, headers=at_home)).status_code == 201
    made = await client.post("/api/v1/invitations", json={"email": "ben@example.com", "role": "viewer"})
    assert made.status_code == 201, made.text
    client.cookies.clear()
    taken = {"token": made.json()["link"].partition("#")[2], "name": "Ben", "password": PASSWORD}
    assert (await client.post("/api/v1/invitations/accept", json=taken)).status_code == 201
    client.cookies.clear()


async def measure(url: str, key: str, token: str, seconds: float) -> dict[str, object]:
    async with (
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as person,
        httpx2.AsyncClient(base_url=url, trust_env=False, headers={"Authorization": f"Bearer {key}"}) as program,
    ):
        await let_in(person, token)
        alone = {path: p99(await waits(program, path, seconds)) for path in PATHS}
        found: dict[str, dict[str, float]] = {}
        statuses: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        people: dict[str, list[object]] = {kind: [] for kind in KINDS}
        for kind in KINDS:
            found[kind] = {}
            for path in PATHS:
                # In processes of their own: this one must have nothing to do but look at the clock.
                flooding, signing_in = [
                    await asyncio.create_subprocess_exec(
                        sys.executable, __file__, f"--{what}", url, str(seconds), stdout=asyncio.subprocess.PIPE
                    )
                    for what in (kind, "members")
                ]
                found[kind][path] = p99(await waits(program, path, seconds))
                statuses[kind].update(json.loads((await flooding.communicate())[0]))
                people[kind].append(json.loads((await signing_in.communicate())[0]))
        return {
            "p99_ms": {
                kind: {path: round(value * 1000, 2) for path, value in each.items()}
                for kind, each in (("alone", alone), *found.items())
            },
            "to_harmless": {
                kind: {path: round(found[kind][path] / found["harmless"][path], 2) for path in PATHS}
                for kind in KINDS[1:]
            },
            "statuses": statuses,
            "members": people,
        }


async def apart(kind: str, url: str, seconds: float) -> object:
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        return await (members(client, seconds) if kind == "members" else many(client, kind, seconds))


def main() -> None:
    if len(sys.argv) == 4:
        print(json.dumps(asyncio.run(apart(sys.argv[1].removeprefix("--"), sys.argv[2], float(sys.argv[3])))))
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as folder:
        command = [TIDINGS, "up", "--data", folder, "--port", "0", "--json", "--no-worker"]
        # As behind a proxy, which says where each request comes from.
        env = {**os.environ, "TIDINGS_TRUSTED_PROXIES": "127.0.0.1"}
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        try:
            assert server.stdout is not None
            ready = json.loads(server.stdout.readline())
            made = subprocess.run(
                [TIDINGS, "key", "create", "--name", "bench", "--data", folder, "--json"],
                capture_output=True,
                check=True,
                text=True,
            )
            token = ready["setup_url"].partition("#")[2]
            print(
                json.dumps(asyncio.run(measure(ready["url"], json.loads(made.stdout)["key"], token, seconds)), indent=2)
            )
        finally:
            server.terminate()
            server.wait(timeout=30)


if __name__ == "__main__":
    main()
