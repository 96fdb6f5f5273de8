"""Which instance a command finds: the lock, run.json, and what is stale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tidings.cli.failure import CommandFailed
from tidings.cli.instance import (
    FolderLock,
    RunningServer,
    demo_in_place_of,
    read_run_file,
    server_or_lock,
    write_run_file,
)
from tidings.settings import Settings

HOLDER = """
import sys
from pathlib import Path
from tidings.cli.instance import FolderLock
lock = FolderLock.take(Path(sys.argv[1]))
print("held" if lock else "taken", flush=True)
sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def dead_pid() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def server(pid: int) -> RunningServer:
    return RunningServer(url="http://localhost:8080", token="t0ken", pid=pid)


def test_one_process_at_a_time_holds_a_folder(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert FolderLock.take(tmp_path) is None
        other.kill()
        other.communicate()
    lock = FolderLock.take(tmp_path)
    assert lock is not None
    lock.free()


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    lock = FolderLock.take(tmp_path / "new" / "data")
    assert lock is not None
    with lock:
        assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_a_plain_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(CommandFailed, match="a file is in its way"):
            FolderLock.take(folder)
    with pytest.raises(CommandFailed, match="cannot be made"):
        FolderLock.take(Path("/proc/none/data"))


def test_run_json_is_readable_by_its_owner_alone_and_round_trips(tmp_path: Path) -> None:
    write_run_file(tmp_path, server(os.getpid()))
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    assert read_run_file(tmp_path) == server(os.getpid())
    assert "t0ken" not in repr(server(1))


def test_run_json_of_a_dead_process_is_stale(tmp_path: Path) -> None:
    write_run_file(tmp_path, server(dead_pid()))
    assert read_run_file(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"url": "u", "token": "t", "pid": "x"}', "null"])
def test_a_damaged_run_json_is_no_server(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    assert read_run_file(tmp_path) is None


async def test_whoever_gets_the_lock_removes_what_a_crashed_server_left(tmp_path: Path) -> None:
    write_run_file(tmp_path, server(os.getpid()))
    found = await server_or_lock(Settings(data=tmp_path))
    assert isinstance(found, FolderLock)
    found.free()
    assert not (tmp_path / "run.json").exists()


async def test_a_held_folder_with_run_json_is_a_running_server(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        write_run_file(tmp_path, server(other.pid))
        assert await server_or_lock(Settings(data=tmp_path)) == server(other.pid)
        other.kill()
        other.communicate()


async def test_a_folder_that_stays_held_is_reported_and_not_entered(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(CommandFailed, match="Another tidings command"):
            await server_or_lock(Settings(data=tmp_path), patience=0.1)
        other.kill()
        other.communicate()


def test_a_running_demo_is_used_only_while_there_is_no_instance_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    assert demo_in_place_of(tmp_path) is None
    write_run_file(tmp_path / "demo", server(os.getpid()))
    assert demo_in_place_of(tmp_path) == tmp_path / "demo"
    (tmp_path / "tidings.db").write_bytes(b"")
    assert demo_in_place_of(tmp_path) is None
