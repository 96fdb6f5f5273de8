"""Which instance a command means, who holds its data folder, and where its running server is reached."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tidings.cli.failure import CommandFailed

if TYPE_CHECKING:
    from tidings.settings import Settings

LOCK_NAME = "tidings.lock"
RUN_NAME = "run.json"
DATABASE_NAME = "tidings.db"
DEMO_FOLDER = "demo"
LOCK_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where the server of a data folder is reached, and the token that lets this machine's operator in."""

    url: str
    token: str = field(repr=False)
    pid: int


class FolderLock:
    """The exclusive right to a data folder; the system frees it when its holder ends, however it ends."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> FolderLock | None:
        """Take the lock of a folder, made if need be; None when another process has it."""
        make_private(folder)
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(folder, descriptor)

    def free(self) -> None:
        """Give the folder back; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.free()


def make_private(folder: Path) -> None:
    """Make a data folder that only its owner may enter; one that exists is left as it is."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise CommandFailed(
            f"{folder} cannot be the data folder: a file is in its way.", "Name another one with --data."
        ) from error
    except OSError as error:
        raise CommandFailed(
            f"The data folder {folder} cannot be made: {error.strerror}.", "Name another one with --data."
        ) from error


def write_run_file(folder: Path, server: RunningServer) -> None:
    """Write run.json, readable by its owner alone, in one step."""
    fresh = folder / f".{RUN_NAME}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(server), file)
    fresh.replace(folder / RUN_NAME)


def read_run_file(folder: Path) -> RunningServer | None:
    """Read run.json; None when there is none, it is not ours, or its process is gone."""
    try:
        found = json.loads((folder / RUN_NAME).read_text())
        server = RunningServer(url=str(found["url"]), token=str(found["token"]), pid=int(found["pid"]))
        os.kill(server.pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server


def remove_run_file(folder: Path) -> None:
    """Remove run.json, if it is there."""
    (folder / RUN_NAME).unlink(missing_ok=True)


def uses_files(settings: Settings) -> bool:
    """Say whether the database is a file of the data folder, which one process at a time may open."""
    return settings.database_url is None


def exists(settings: Settings) -> bool:
    """Say whether there is an instance: a PostgreSQL one is taken to exist, one in files has its database there."""
    return not uses_files(settings) or any((settings.data / name).exists() for name in (DATABASE_NAME, RUN_NAME))


async def server_or_lock(settings: Settings, *, patience: float = LOCK_PATIENCE) -> RunningServer | FolderLock:
    """Find the server that has the folder, or take the folder; wait `patience` seconds for a short-lived holder."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        lock = FolderLock.take(settings.data)
        if lock is not None:
            # Whoever wrote run.json held this lock while it ran, so what is left of it is stale.
            remove_run_file(settings.data)
            return lock
        server = read_run_file(settings.data)
        if server is not None:
            return server
        if asyncio.get_running_loop().time() > deadline:
            raise CommandFailed(
                f"Another tidings command is using {settings.data}.", "Wait until it is done, then try again."
            )
        await asyncio.sleep(0.05)


def demo_in_place_of(folder: Path) -> Path | None:
    """Give the demo's folder when it runs and the folder itself holds no instance yet."""
    demo = folder / DEMO_FOLDER
    if (folder / DATABASE_NAME).exists() or (folder / RUN_NAME).exists():
        return None
    return demo if read_run_file(demo) is not None else None
