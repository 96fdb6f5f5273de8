"""How long others wait while 50 wrong sign-ins a second arrive: p99 without them, with them, and with harmless ones.

Run `python bench/sign_in.py [seconds]` in the environment of a source folder; it starts `tidings up` on this machine.
"""

from __future__ import annotations

import asyncio
import json
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


async def many(client: httpx2.AsyncClient, kind: str, seconds: float) -> dict[int, int]:
    """Send wrong passwords, half of them for the one member there is, or ask who is signed in; count the statuses."""
    statuses: dict[int, int] = {}

    async def one(number: int) -> None:
        email = "anna@example.com" if number % 2 else f"nobody-{number}@example.com"
        if kind == "wrong":
            answer = await client.post("/api/v1/session", json={"email": email, "password": f"wrong {number}"})
        else:
            answer = await client.get("/api/v1/session")
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    tasks, begun, number = [], time.monotonic(), 0
    while time.monotonic() - begun < seconds:
        tasks.append(asyncio.create_task(one(number)))
        number += 1
        await asyncio.sleep(max(0.0, begun + number / WRONG_A_SECOND - time.monotonic()))
    await asyncio.gather(*tasks)
    return statuses


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


async def measure(url: str, key: str, token: str, seconds: float) -> dict[str, object]:
    async with (
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as stranger,
        httpx2.AsyncClient(base_url=url, trust_env=False, headers={"Authorization": f"Bearer {key}"}) as program,
    ):
        first = {"token": token, "name": "Anna", "email": "anna@example.com", "password": "eleven red herrings"}
        assert (await stranger.post("/api/v1/setup", json=first)).status_code == 201
        stranger.cookies.clear()
        alone = {path: p99(await waits(program, path, seconds)) for path in PATHS}
        found: dict[str, dict[str, float]] = {}
        statuses: Counter[str] = Counter()
        for kind in ("harmless", "wrong"):
            found[kind] = {}
            for path in PATHS:
                # In a process of their own: this one must have nothing to do but look at the clock.
                others = await asyncio.create_subprocess_exec(
                    sys.executable, __file__, f"--{kind}", url, str(seconds), stdout=asyncio.subprocess.PIPE
                )
                found[kind][path] = p99(await waits(program, path, seconds))
                told, _ = await others.communicate()
                if kind == "wrong":
                    statuses.update(json.loads(told))
        wrong, harmless = found["wrong"], found["harmless"]
        return {
            "p99_ms_alone": {path: round(value * 1000, 2) for path, value in alone.items()},
            "p99_ms_beside_harmless": {path: round(value * 1000, 2) for path, value in harmless.items()},
            "p99_ms_beside_wrong": {path: round(value * 1000, 2) for path, value in wrong.items()},
            "wrong_to_alone": {path: round(wrong[path] / alone[path], 2) for path in PATHS},
            "wrong_to_harmless": {path: round(wrong[path] / harmless[path], 2) for path in PATHS},
            "statuses": statuses,
        }


async def flood(kind: str, url: str, seconds: float) -> dict[int, int]:
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        return await many(client, kind, seconds)


def main() -> None:
    if sys.argv[1:2] in (["--wrong"], ["--harmless"]):
        kind = sys.argv[1].removeprefix("--")
        print(json.dumps(asyncio.run(flood(kind, sys.argv[2], float(sys.argv[3])))))
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as folder:
        command = [TIDINGS, "up", "--data", folder, "--port", "0", "--json", "--no-worker"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
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
