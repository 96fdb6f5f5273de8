"""Reading the audit log: page by page, as a file, and checking that nobody has changed it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from tidings.domain.audit import Action, Actor, Anchor, Entry, Subject
from tidings.lib.cells import safe_cell
from tidings.lib.clock import Clock
from tidings.services.paging import Page, page_from, position_from
from tidings.storage import Store, Transaction
from tidings.storage.audit import BEGINNING, hash_of

CHUNK = 500
COLUMNS = (
    "id", "at", "app", "actor_kind", "actor_id", "actor_name", "address", "action",
    "subject_kind", "subject_id", "subject_name", "detail", "hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """Which entries: of one App, of the instance's own chain, or of all with neither; by whom, what, and when."""

    app_id: int | None = None
    instance: bool = False
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of walking the chains: all entries, and the hash that stands for them; or the first that is wrong.

    `removed` are those before them that had their time.
    """

    entries: int
    head: str
    broken_at: int | None = None
    removed: int = 0


class Audit:
    """Lists, exports and checks entries."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._walking = asyncio.Lock()

    async def page(self, wish: Wish, *, cursor: str | None, limit: int) -> Page[Entry]:
        """List entries, newest first. Raises INVALID_CURSOR."""
        after = position_from(cursor)
        rows = await self._store.read(lambda tx: _rows(tx, wish, after=after, limit=limit + 1))
        return page_from(rows, limit=limit, position=lambda row: row.id)

    async def export(
        self, wish: Wish, *, format: Literal["ndjson", "csv"], names: dict[int, str], by: Actor
    ) -> AsyncIterator[bytes]:
        """Give entries as a file, newest first; that it was taken is written down. `names` are Apps' public ids."""
        now = self._clock.now()
        subject, detail = Subject("audit"), {"format": format}
        await self._store.write(
            lambda tx: tx.audit.add(
                by, Action.AUDIT_EXPORTED, app_id=wish.app_id, subject=subject, detail=detail, now=now
            )
        )
        return self._lines(wish, format, names)

    async def _lines(self, wish: Wish, format: Literal["ndjson", "csv"], names: dict[int, str]) -> AsyncIterator[bytes]:
        if format == "csv":
            yield _csv([COLUMNS])
        after = 0
        while True:
            rows = await self._store.read(lambda tx, after=after: _rows(tx, wish, after=after, limit=CHUNK))  # type: ignore[misc]
            plain = [_plain(row, names) for row in rows]
            if format == "csv":
                yield _csv([_cells(one) for one in plain])
            else:
                yield b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in plain)
            if len(rows) < CHUNK:
                return
            after = rows[-1].id

    async def verify(self, *, app_ids: Collection[int] | None, instance: bool) -> Verified:
        """Walk the chains of some Apps, or of all with None, and the instance's own where it is asked for."""

        def walk(tx: Transaction) -> Verified:
            total = removed = 0
            heads: list[bytes] = []
            for chain in tx.audit.chains():
                wanted = instance if chain is None else app_ids is None or chain in app_ids
                if not wanted:
                    continue
                anchor = tx.audit.anchor(chain)
                count, head, broken = _walked(tx.audit.walk(chain), anchor)
                if broken is not None:
                    return Verified(total + count, "", broken)
                total, heads = total + count, [*heads, head]
                removed += anchor.n if anchor else 0
            whole = heads[0] if len(heads) == 1 else sha256(b"".join(heads)).digest()
            return Verified(total, whole.hex(), removed=removed)

        # One at a time: each keeps a reader's thread for as long as the log is, and there are few.
        async with self._walking:
            return await self._store.read(walk)


def _walked(entries: Iterator[Entry], anchor: Anchor | None) -> tuple[int, bytes, int | None]:
    previous, before, count = (anchor.hash, anchor.n, 0) if anchor else (BEGINNING, 0, 0)
    for entry in entries:
        count += 1
        bound = entry.n == before + count and entry.previous == previous and entry.hash == hash_of(entry)
        if not bound or (anchor is not None and not anchor.genuine):
            return count, previous, entry.id
        previous = entry.hash
    return count, previous, None


def _rows(tx: Transaction, wish: Wish, *, after: int, limit: int) -> list[Entry]:
    return tx.audit.page(
        app_id=wish.app_id,
        instance=wish.instance,
        actor=wish.actor,
        action=wish.action,
        since=wish.since,
        until=wish.until,
        after=after,
        limit=limit,
    )


def _plain(row: Entry, names: dict[int, str]) -> dict[str, object]:
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "app": names.get(row.app_id) if row.app_id is not None else None,
        "actor": {"kind": row.actor.kind.value, "id": row.actor.id, "name": row.actor.name},
        "address": row.actor.address,
        "action": row.action,
        "subject": {"kind": row.subject.kind, "id": row.subject.id, "name": row.subject.name},
        "detail": dict(row.detail),
        "hash": row.hash.hex(),
    }


def _cells(one: dict[str, object]) -> list[object]:
    actor, subject = one["actor"], one["subject"]
    assert isinstance(actor, dict)
    assert isinstance(subject, dict)
    detail = json.dumps(one["detail"], ensure_ascii=False)
    cells = [
        one["id"],
        one["at"],
        one["app"],
        *actor.values(),
        one["address"],
        one["action"],
        *subject.values(),
        detail,
    ]
    return [*(safe_cell(cell) if isinstance(cell, str) else cell for cell in cells), one["hash"]]


def _csv(rows: Collection[Collection[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
