"""`tidings up` as a process: starts, is found by other commands, stops on a signal, refuses what is unsafe."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

TIDINGS = [sys.executable, "-c", "from tidings.cli.main import run; run()"]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")},
    "TIDINGS_SENDERS": "1",
}


def tidings(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TIDINGS, *arguments], capture_output=True, text=True, timeout=90, check=False, env=ENVIRONMENT
    )


def told(*arguments: str) -> Any:
    ended = tidings(*arguments, "--json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    return json.loads(ended.stdout)


@contextmanager
def running(data: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [*TIDINGS, "up", "--data", str(data), "--port", "0", "--json", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.communicate()[1])
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


@contextmanager
def in_a_terminal(*arguments: str, until: str) -> Iterator[str]:
    """Run a command as somebody who types it does; give what the screen shows, without colours, once it has `until`."""
    mine, its = pty.openpty()
    process = subprocess.Popen([*TIDINGS, *arguments], stdin=its, stdout=its, stderr=its, env=ENVIRONMENT)
    os.close(its)
    shown, end = "", time.monotonic() + 120
    try:
        while until not in shown:
            assert time.monotonic() < end, shown
            if select.select([mine], [], [], 1)[0]:
                shown += os.read(mine, 65_536).decode(errors="replace")
            assert process.poll() is None, shown
        yield re.sub(r"\x1b\[[0-9;]*m", "", shown)
    finally:
        process.terminate()
        # What it says while it ends is read away: a full terminal would keep it from ending.
        while process.poll() is None:
            with suppress(OSError):
                if select.select([mine], [], [], 0.1)[0]:
                    os.read(mine, 65_536)
        os.close(mine)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_gracefully_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as (process, ready):
        assert httpx2.get(f"{ready['url']}/livez", trust_env=False).status_code == 200
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    assert not (tmp_path / "run.json").exists()


def test_the_set_up_link_makes_the_first_member_once(tmp_path: Path) -> None:
    with running(tmp_path) as (_, ready):
        token = ready["setup_url"].partition("#")[2]
        headers = {"Origin": ready["url"], "Sec-Fetch-Site": "same-origin"}
        first = {"token": token, "name": "Anna", "email": "anna@example.com", "password": "eleven red herrings"}
        with httpx2.Client(base_url=ready["url"], trust_env=False, headers=headers, timeout=60) as browser:
            assert browser.post("/api/v1/setup", json=first).status_code == 201
            assert browser.get("/api/v1/session").json()["member"]["super_admin"] is True
            assert browser.post("/api/v1/setup", json=first).json()["code"] == "setup_link_invalid"
    with running(tmp_path) as (_, ready):
        assert ready["setup_url"] is None


def test_other_commands_find_the_running_server(tmp_path: Path) -> None:
    with running(tmp_path, "--contact", "mailto:push@example.com") as (_, ready):
        shown = told("vapid", "show", "--data", str(tmp_path))
        assert shown["keys"][0]["public_key"] == ready["public_key"]
        key = told("key", "create", "--name", "shop", "--data", str(tmp_path))["key"]
        answer = httpx2.get(f"{ready['url']}/api/v1/apps", headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        assert answer.status_code == 200
    assert told("app", "list", "--data", str(tmp_path))["data"] == answer.json()["data"]


def test_a_first_start_without_a_contact_says_how_to_make_the_key(tmp_path: Path) -> None:
    with running(tmp_path) as (_, ready):
        assert ready["public_key"] is None


def test_a_second_server_of_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path):
        ended = tidings("up", "--data", str(tmp_path), "--port", "0")
        assert ended.returncode == 1
        assert "has the data folder" in ended.stderr
        assert tidings("migrate", "--data", str(tmp_path)).returncode == 1


def test_a_killed_server_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    with running(tmp_path) as (process, _):
        process.kill()
        process.wait()
        assert (tmp_path / "run.json").exists()
    assert len(told("app", "list", "--data", str(tmp_path))["data"]) == 1
    assert not (tmp_path / "run.json").exists()


def test_a_taken_port_is_one_line_why_and_one_how_to_mend(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = tidings("up", "--data", str(tmp_path), "--port", str(other.getsockname()[1]))
    assert ended.returncode == 1
    assert "is taken" in ended.stderr
    assert len(ended.stderr.splitlines()) == 2


def test_a_taken_port_leaves_no_folder_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = tidings("up", "--demo", "--data", str(tmp_path / "new"), "--port", str(other.getsockname()[1]))
    assert (ended.returncode, "is taken" in ended.stderr) == (1, True)
    assert not (tmp_path / "new").exists()


def test_the_demo_is_refused_where_other_machines_get_in(tmp_path: Path) -> None:
    ended = tidings("up", "--data", str(tmp_path), "--demo", "--host", "0.0.0.0", "--port", "0")
    assert ended.returncode == 1
    assert "lets other machines in" in ended.stderr
    assert not (tmp_path / "demo").exists()


def test_a_live_database_is_backed_up_whole_and_never_over_another_file(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy.db"
    with running(data):
        assert told("backup", str(copy), "--data", str(data))["bytes"] == copy.stat().st_size
        assert copy.stat().st_mode & 0o777 == 0o600
        again = tidings("backup", str(copy), "--data", str(data))
    assert again.returncode == 1
    assert "exists already" in again.stderr


def devices_of(ready: dict[str, Any], data: Path) -> dict[str, int]:
    """Count the devices of each integration, those among them that have just ended too."""
    key = told("key", "create", "--name", "watcher", "--data", str(data))["key"]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx2.Client(base_url=f"{ready['url']}/api/v1", headers=headers, trust_env=False, timeout=30) as api:
        found, path = Counter[str](), "/subscriptions?limit=100"
        while path:
            page = api.get(path).raise_for_status().json()
            found.update(one["provider"] for one in page["data"])
            path = f"/subscriptions?limit=100&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        labels = {one["provider"]: one for one in api.get("/integrations").json()["data"]}
        assert all(one["paused_because"] is None for one in labels.values())
        assert set(labels) == set(found)
    return dict(found)


@pytest.mark.slow
def test_the_demo_says_in_a_terminal_who_one_is_in_it_and_how_one_comes_in_again(tmp_path: Path) -> None:
    with in_a_terminal("up", "--demo", "--data", str(tmp_path), "--port", "0", until="Ctrl-C stops") as screen:
        (link,) = re.findall(r"Set-up link +(http\S+)", screen)
        assert re.search(r"signs you in as Demo owner \(owner@demo\.example\)", screen)
        (again,) = re.findall(r"tidings (member reset .*)\r", screen)
        url, _, token = link.partition("/setup#")
        with httpx2.Client(base_url=url, trust_env=False, timeout=60) as browser:
            entered = browser.post("/api/v1/session", json={"setup_token": token}).json()
            assert (entered["signed_in"], entered["member"]["email"]) == (True, "owner@demo.example")
            assert browser.post("/api/v1/session", json={"setup_token": token}).status_code == 403
        made = told(*shlex.split(again))["link"]
        with httpx2.Client(base_url=url, trust_env=False, timeout=60) as other:
            body = {"token": made.partition("#")[2], "new": "eleven red herrings"}
            assert other.post("/api/v1/password-reset", json=body).status_code == 204
            known = {"email": "owner@demo.example", "password": "eleven red herrings"}
            assert other.post("/api/v1/session", json=known).status_code == 201
        told("app", "create", "--name", "Another", "--data", str(tmp_path))
    with in_a_terminal("up", "--demo", "--data", str(tmp_path), "--port", "0", until="Ctrl-C stops") as screen:
        assert "who has no password" not in screen
        assert "sign in as Demo owner (owner@demo.example) with the password that was set" in screen
        (send,) = re.findall(r"tidings (send .*)\r", screen)
        assert told(*shlex.split(send), "--yes")["counts"]["audience"] == 1000


def rows_of(ready: dict[str, Any], data: Path, path: str, **asked: str) -> Iterator[dict[str, Any]]:
    """Walk a list of the running server."""
    known = json.loads((data / "demo" / "run.json").read_text())
    with httpx2.Client(
        base_url=f"{ready['url']}/api/v1", headers={"Authorization": f"Bearer {known['token']}"}, trust_env=False
    ) as api:
        more: dict[str, str] | None = asked
        while more is not None:
            page = api.get(path, params={"limit": "100", **more}).raise_for_status().json()
            yield from page["data"]
            more = {**asked, "cursor": page["next_cursor"]} if page["next_cursor"] else None


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_demo_has_the_same_subscribers_and_their_history_after_a_restart(
    tmp_path: Path, end: signal.Signals
) -> None:
    before: dict[str, dict[str, Any]] = {}
    earlier: list[str] = []
    for title in ("Fresh fish", "Fresh fish, again"):
        with running(tmp_path, "--demo") as (process, ready):
            devices = {one["id"]: one for one in rows_of(ready, tmp_path, "/subscriptions")}
            assert Counter(one["status"] for one in devices.values()) == {"active": 1000}
            if before:
                assert set(devices) == set(before)
                assert [one["created_at"] for one in devices.values()] == [one["created_at"] for one in before.values()]
            before = devices
            assert [one["id"] for one in rows_of(ready, tmp_path, "/notifications")] == earlier
            sent = told("send", "--title", title, "--to", "all", "--yes", "--data", str(tmp_path))
            assert sent["counts"]["audience"] == 1000
            gone = sent["reasons"]["gone"]
            assert sent["counts"]["sent"] + gone == 1000
            earlier.insert(0, sent["id"])
            # What was sent to each is told at the device: those who are gone by now had it before.
            failed = next(one for one in rows_of(ready, tmp_path, "/subscriptions", status="expired"))
            history = list(rows_of(ready, tmp_path, f"/subscriptions/{failed['id']}/deliveries"))
            assert [one["notification"] for one in history] == earlier
            process.send_signal(end)
            process.wait(timeout=30)


@pytest.mark.slow
def test_the_demo_sends_a_first_campaign_and_can_be_started_again(tmp_path: Path) -> None:
    for title in ("Fresh fish", "Fresh fish, again"):
        with running(tmp_path, "--demo") as (_, ready):
            sent = told("send", "--title", title, "--to", "all", "--yes", "--data", str(tmp_path))
            assert sent["counts"]["audience"] == 1000
            assert sent["counts"]["sent"] + sent["reasons"]["gone"] == 1000
            summary = httpx2.get(f"{ready['control']}/subscribers/summary", trust_env=False)
            assert summary.status_code == 200
            assert devices_of(ready, tmp_path) == {"apns": 40, "fcm": 20, "webpush": 940}
            iphones = httpx2.get(f"{ready['control']}/apns/summary", trust_env=False).json()["total"]
            assert (iphones["subscribers"], iphones["distinct"], iphones["doubled"]) == (40, 38, 0)
        assert not (tmp_path / "tidings.db").exists()


def test_streams_end_by_themselves_when_the_server_stops(tmp_path: Path) -> None:
    with running(tmp_path, "--contact", "mailto:push@example.com") as (process, ready):
        key = told("key", "create", "--name", "watcher", "--data", str(tmp_path))["key"]
        client = httpx2.Client(
            base_url=f"{ready['url']}/api/v1", headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=30
        )
        with client:
            later = {"to": {"all": True}, "title": "Fresh fish", "send_at": "2099-01-01T09:00:00Z"}
            stored = client.post("/notifications", json=later).raise_for_status().json()
            with client.stream("GET", f"/notifications/{stored['id']}/progress") as answer:
                lines = answer.iter_lines()
                assert next(lines).startswith("event:")
                process.send_signal(signal.SIGTERM)
                assert not any("error" in line for line in lines)
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert "Cancel" not in process.stderr.read()
