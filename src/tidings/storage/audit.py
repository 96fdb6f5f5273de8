"""The audit log: rows of `audit_entries`, each with the hash of the one before it in its chain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select

from tidings.domain.audit import Action, Actor, ActorKind, Anchor, Entry, Subject
from tidings.storage.columns import microseconds
from tidings.storage.dialects import Dialect, Prepared
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.accounts import audit_anchors, audit_entries

BEGINNING = bytes(32)
"""What the first entry of a chain has in place of a hash before it."""

_CHUNK = 500
"""Entries that a walk reads at once."""

_INSTANCE = 0
"""The chain of what concerns no single App; ids of Apps begin at 1."""

e = audit_entries.c
a = audit_anchors.c


@cache
def _last(dialect: Dialect) -> Prepared:
    return dialect.prepare(select(e.n, e.hash).where(e.chain == bindparam("of")).order_by(e.n.desc()).limit(1))


@cache
def _insert(dialect: Dialect) -> Prepared:
    given: dict[str, Any] = {
        column.name: bindparam(column.name) for column in audit_entries.columns if column is not e.id
    }
    return dialect.prepare(insert(audit_entries).values(given).returning(e.id))


class SqlAudit:
    """Implements `storage.ports.accounts.Audit`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._run = scope.connection.execute

    def add(
        self,
        actor: Actor,
        action: Action,
        *,
        app_id: int | None,
        subject: Subject,
        detail: Mapping[str, Any] | None = None,
        now: datetime,
    ) -> Entry:
        """Write an entry after the last one of its chain; writers of a chain come one after the other."""
        chain = app_id or _INSTANCE
        self._scope.dialect.hold(self._scope.connection, f"audit {chain}")
        found = _last(self._scope.dialect).records(self._scope.connection, {"of": chain})
        last = found[0] if found else None
        values: dict[str, Any] = {
            "chain": chain,
            "n": last.n + 1 if last else 1,
            "at": now,
            "actor_kind": actor.kind.value,
            "actor_id": actor.id,
            "actor_name": actor.name,
            "address": actor.address,
            "action": action.value,
            "subject_kind": subject.kind,
            "subject_id": subject.id,
            "subject_name": subject.name,
            "detail": dict(detail or {}),
        }
        previous: bytes = last.hash if last else BEGINNING
        digest = chained(previous, values)
        values |= {"previous": previous, "hash": digest}
        ((stored,),) = _insert(self._scope.dialect).rows(self._scope.connection, values)
        return Entry(
            id=stored,
            app_id=app_id,
            n=values["n"],
            at=now,
            actor=actor,
            action=action.value,
            subject=subject,
            detail=values["detail"],
            hash=digest,
            previous=previous,
        )

    def pseudonym(self, app_id: int, external_id: str) -> str:
        """Name an end user so that an entry about them can be found again, and nothing can be read from it."""
        index = self._scope.sealer.blind_index(external_id.encode(), context=f"audit|user|{app_id}")
        return f"user~{index.hex()[:24]}"

    def page(
        self,
        *,
        app_id: int | None,
        instance: bool = False,
        actor: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int = 0,
        limit: int,
    ) -> list[Entry]:
        """List newest first: one App's entries, the instance's own with `instance`, or all with neither."""
        query = select(audit_entries).order_by(e.id.desc()).limit(limit)
        if instance or app_id is not None:
            query = query.where(e.chain == (app_id or _INSTANCE))
        if actor is not None:
            query = query.where(e.actor_id == actor)
        if action is not None:
            # `key` finds `key.created` as well.
            query = query.where((e.action == action) | e.action.startswith(f"{action}.", autoescape=True))
        if since is not None:
            query = query.where(e.at >= since)
        if until is not None:
            query = query.where(e.at < until)
        if after:
            query = query.where(e.id < after)
        return [_entry(row) for row in self._run(query)]

    def chains(self) -> list[int | None]:
        """List the chains that have entries; None is the instance's own."""
        found = self._run(select(e.chain).distinct().order_by(e.chain)).scalars()
        return [chain or None for chain in found]

    def walk(self, app_id: int | None) -> Iterator[Entry]:
        """Give a chain from its beginning."""
        chain, after = app_id or _INSTANCE, 0
        while True:
            query = select(audit_entries).where(e.chain == chain, e.n > after).order_by(e.n).limit(_CHUNK)
            rows = self._run(query).all()
            yield from map(_entry, rows)
            if len(rows) < _CHUNK:
                return
            after = rows[-1].n

    def anchor(self, app_id: int | None) -> Anchor | None:
        """Give where a chain begins; None where it has its first entry still."""
        chain = app_id or _INSTANCE
        row = self._run(select(audit_anchors).where(a.chain == chain)).first()
        if row is None:
            return None
        genuine = compare_digest(row.mac, self._mac(chain, row.n, row.hash))
        return Anchor(row.n, row.hash, row.at, genuine)

    def cut(self, app_id: int | None, *, before: datetime, limit: int, now: datetime) -> int:
        """Remove the oldest entries of a chain, `limit` at most and never the newest; give how many.

        What is cut is always the beginning: the anchor keeps the hash that the first entry left was bound to.
        """
        chain = app_id or _INSTANCE
        self._scope.dialect.hold(self._scope.connection, f"audit {chain}")
        of_chain = e.chain == chain
        first, last = self._run(select(func.min(e.n), func.max(e.n)).where(of_chain)).one()
        kept = self._run(select(e.n).where(of_chain, e.at >= before).order_by(e.n).limit(1)).scalar()
        until = min((kept or last or 0) - 1, (first or 0) + limit - 1)
        if first is None or until < first:
            return 0
        ended: bytes = self._run(select(e.hash).where(of_chain, e.n == until)).scalar_one()
        values = {"chain": chain, "n": until, "hash": ended, "mac": self._mac(chain, until, ended), "at": now}
        stored = self._scope.dialect.upsert(audit_anchors, key=("chain",), update=("n", "hash", "mac", "at"))
        self._run(stored, values)
        return self._run(delete(audit_entries).where(of_chain, e.n <= until)).rowcount

    def _mac(self, chain: int, n: int, ended: bytes) -> bytes:
        return self._scope.sealer.blind_index(ended, context=f"audit anchor|{chain}|{n}")


def chained(previous: bytes, values: Mapping[str, Any]) -> bytes:
    """Give the hash of an entry: SHA-256 over the hash before it and the entry as canonical JSON.

    Canonical: members sorted by name, no spaces, UTF-8, the moment in microseconds since 1970.
    """
    plain = {**values, "at": microseconds(values["at"])}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(previous + text.encode()).digest()


def hash_of(entry: Entry) -> bytes:
    """Give the hash that an entry must have after the one before it."""
    return chained(
        entry.previous,
        {
            "chain": entry.app_id or _INSTANCE,
            "n": entry.n,
            "at": entry.at,
            "actor_kind": entry.actor.kind.value,
            "actor_id": entry.actor.id,
            "actor_name": entry.actor.name,
            "address": entry.actor.address,
            "action": entry.action,
            "subject_kind": entry.subject.kind,
            "subject_id": entry.subject.id,
            "subject_name": entry.subject.name,
            "detail": dict(entry.detail),
        },
    )


def _entry(row: AnyRow) -> Entry:
    return Entry(
        id=row.id,
        app_id=row.chain or None,
        n=row.n,
        at=row.at,
        actor=Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_name, row.address),
        action=row.action,
        subject=Subject(row.subject_kind, row.subject_id, row.subject_name),
        detail=row.detail,
        hash=row.hash,
        previous=row.previous,
    )
