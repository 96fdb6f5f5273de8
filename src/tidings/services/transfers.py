"""Moving in and out: files of subscriptions are stored in batches, and written again with everything they need."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO

from tidings.domain.app import Credential
from tidings.domain.audit import SYSTEM, Action, Actor, Subject
from tidings.domain.errors import CatalogueError
from tidings.domain.subscription import NewSubscription, Recipient, Subscription
from tidings.lib.clock import Clock
from tidings.lib.ids import Ids
from tidings.providers import BROWSER
from tidings.services.formats import Format, Row, rows_from
from tidings.services.registration import UNCLAIMED, new_from
from tidings.services.subscriptions import Subscriptions, credential_for
from tidings.storage import Store, Transaction

BATCH = 500
"""Rows stored in one transaction."""

MAX_FAULTS = 1_000
"""Faults told one by one; beyond them only the count goes on."""

IN_MEMORY = 1024 * 1024
_CHUNK = 256 * 1024
_P256DH_BYTES = 65


@dataclass(slots=True)
class ImportResult:
    """What became of a file: new devices, devices that were here already, rows refused and why (row, words)."""

    added: int = 0
    known: int = 0
    refused: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, number: int, why: str) -> None:
        """Count a row that was not stored."""
        self.refused += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append((number, why))


class Transfers:
    """Imports and exports subscriptions."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids, subscriptions: Subscriptions) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._subscriptions = subscriptions

    async def take_in(
        self,
        app_id: int,
        file: IO[bytes],
        *,
        format: Format = Format.AUTO,
        vapid_key: str | None = None,
        by: Actor = SYSTEM,
    ) -> ImportResult:
        """Store the good rows of a file and tell of the others; devices that are known stay as they are.

        `vapid_key` is the public key they were made with, where a row names none; without it the current key.
        Raises VAPID_KEY_MISSING, VAPID_KEY_UNKNOWN, and what `formats.rows_from` raises.
        """
        rows = rows_from(file, format=format)
        credentials: dict[str | None, Credential] = {}
        credentials[None] = await self._store.read(lambda tx: credential_for(tx, app_id, vapid_key))
        result = ImportResult()
        # Checking points on a curve is work for a processor, so it happens off the event loop.
        while batch := await asyncio.to_thread(lambda: list(itertools.islice(rows, BATCH))):
            good = [new for row in batch if (new := await self._checked(app_id, row, credentials, result))]
            added, known = await self._stored(good)
            result.added += added
            result.known += known
        detail = {"count": result.added, "known": result.known, "refused": result.refused}
        await self._note(app_id, Action.SUBSCRIPTIONS_IMPORTED, by, detail)
        return result

    async def note_export(self, app_id: int, *, by: Actor) -> None:
        """Write down who takes all devices out, before the first of them is given."""
        count = sum((await self._store.read(lambda tx: tx.subscriptions.statuses(app_id))).values())
        await self._note(app_id, Action.SUBSCRIPTIONS_EXPORTED, by, {"count": count})

    async def _note(self, app_id: int, action: Action, by: Actor, detail: dict[str, int]) -> None:
        now, about = self._clock.now(), Subject("subscriptions")
        await self._store.write(
            lambda tx: tx.audit.add(by, action, app_id=app_id, subject=about, detail=detail, now=now)
        )

    async def write_out(self, app_id: int) -> AsyncIterator[bytes]:
        """Give every subscription of an App with its address and keys, one JSON object a line.

        The rows are copied to a temporary file first, so that a slow reader holds no transaction open.
        """
        with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            await self._store.read(lambda tx: _dump(tx, app_id, spool))
            await asyncio.to_thread(spool.seek, 0)
            while chunk := await asyncio.to_thread(spool.read, _CHUNK):
                yield chunk

    async def _checked(
        self, app_id: int, row: Row, credentials: dict[str | None, Credential], result: ImportResult
    ) -> NewSubscription | None:
        registration = row.registration
        if registration is None:
            result.refuse(row.number, row.fault)
            return None
        try:
            address, origin = self._subscriptions.address_from(registration.subscription)
            await self._subscriptions.check_host(origin)
            name = registration.vapid_key
            if name not in credentials:
                credentials[name] = await self._store.read(lambda tx: credential_for(tx, app_id, name))
        except CatalogueError as fault:
            result.refuse(row.number, f"{fault.code}: {fault.detail}")
            return None
        return new_from(
            registration,
            app_id=app_id,
            provider=BROWSER,
            address=address,
            origin=origin,
            credential=credentials[name],
        )

    async def _stored(self, good: list[NewSubscription]) -> tuple[int, int]:
        now = self._clock.now()
        rows = [(new, self._ids.new("sub"), UNCLAIMED) for new in good]

        def store(tx: Transaction) -> tuple[int, int]:
            added = tx.subscriptions.add_many(rows, now=now)
            tx.outbox.imported(good[0].app_id, [public_id for _, public_id, _ in rows], now=now)
            return added

        return await self._store.write(store) if rows else (0, 0)


def _dump(tx: Transaction, app_id: int, spool: IO[bytes]) -> None:
    names = {one.id: one.fingerprint for one in tx.credentials.all(app_id, BROWSER)}
    for line in _lines(tx.subscriptions.export(app_id), names):
        spool.write(line)


def _lines(pairs: Iterator[tuple[Subscription, Recipient]], names: dict[int, str]) -> Iterator[bytes]:
    for subscription, recipient in pairs:
        keys = recipient.address.keys
        line = {
            "endpoint": recipient.address.target,
            "keys": {"p256dh": _base64url(keys[:_P256DH_BYTES]), "auth": _base64url(keys[_P256DH_BYTES:])},
            "vapid_key": names.get(subscription.credential_id or 0),
            "user": subscription.user_external_id,
            "tags": subscription.tags,
            "locale": subscription.locale,
            "time_zone": subscription.time_zone,
            "device": subscription.device,
            "status": subscription.status,
            "created_at": subscription.created_at.isoformat(),
        }
        yield json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
