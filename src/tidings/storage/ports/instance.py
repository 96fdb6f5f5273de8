"""The ports of an instance: keys to its API, what was asked twice, its workers, how much was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tidings.domain.app import ApiKey, Heartbeat, SetupToken
from tidings.domain.safety import GlobalPause
from tidings.domain.vitals import Vitals


class Access(Protocol):
    """API keys and one-time set-up links; all by hash."""

    def add_key(
        self,
        *,
        public_id: str,
        app_id: int | None,
        name: str,
        prefix: str,
        key_hash: bytes,
        scopes: Sequence[str],
        now: datetime,
        created_by: str | None = None,
        expires_at: datetime | None = None,
    ) -> ApiKey: ...
    def key_by_hash(self, key_hash: bytes) -> ApiKey | None: ...
    def keys(self) -> list[ApiKey]: ...
    def touch_key(self, key_id: int, *, now: datetime) -> None: ...
    def revoke_key(self, public_id: str, *, now: datetime) -> bool: ...
    def purge(self, *, now: datetime) -> int:
        """Forget set-up links whose time is over; give how many."""
        ...

    def add_setup_token(self, *, token_hash: bytes, expires_at: datetime, member_id: int | None = None) -> None: ...
    def setup_token(self, token_hash: bytes, *, now: datetime) -> SetupToken | None: ...
    def spend_setup_token(self, token_hash: bytes, *, now: datetime) -> SetupToken | None:
        """Use a one-time link up; None unless this is the first use before its end."""
        ...

    def forget_setup_tokens(self) -> None:
        """End every link that would make a first member."""
        ...


class Idempotency(Protocol):
    """What was answered to which Idempotency-Key."""

    def find(self, app_id: int, key: str) -> tuple[bytes, bytes] | None:
        """Give (hash of the request, stored answer) if the key is known."""
        ...

    def put(self, app_id: int, key: str, *, request_hash: bytes, answer: bytes, now: datetime) -> None: ...
    def purge(self, *, before: datetime) -> int: ...


class Instance(Protocol):
    """What concerns the whole instance: small values by name, workers' signs of life, and the state of the database."""

    def value(self, name: str) -> bytes | None: ...
    def set_value(self, name: str, value: bytes) -> None: ...
    def beat(self, heartbeat: Heartbeat) -> None: ...
    def heartbeats(self, *, since: datetime) -> list[Heartbeat]: ...
    def leave(self, worker_id: str) -> None: ...
    def forget_silent(self, *, before: datetime) -> int:
        """Forget workers that were last seen before then; give how many."""
        ...

    def pause(self, paused: GlobalPause) -> None:
        """Let nobody send anything from now on; in force once this is committed."""
        ...

    def resume(self) -> bool:
        """Let sending go on; False when nothing was paused."""
        ...

    def paused(self) -> GlobalPause | None: ...
    def vitals(self, *, now: datetime, alive_since: datetime) -> Vitals: ...
    def schema_step(self) -> str | None:
        """The step the database is at."""
        ...


class Volumes(Protocol):
    """What the tripwire counts: recipients asked for by minute, and words that went to most subscribers."""

    def add(self, app_id: int, recipients: int, *, lot: int | None, now: datetime) -> None:
        """Count recipients; different lots do not wait for each other, nor who holds the count, which needs none."""
        ...

    def hold(self, app_id: int) -> None:
        """Let nobody else hold the App's count until the transaction ends; who did before is in what is read after."""
        ...

    def since(self, app_id: int, moment: datetime) -> int: ...
    def forget(self, app_id: int) -> None: ...
    def broadcast(self, app_id: int, content: bytes, *, within: timedelta, now: datetime) -> datetime | None:
        """Remember words that go to most; give when the same ones went out before, if within that time."""
        ...

    def last_broadcast(self, app_id: int, content: bytes) -> datetime | None:
        """Give when the same words went out before, and remember nothing."""
        ...

    def purge(self, *, before: datetime) -> int: ...
