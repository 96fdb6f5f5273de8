"""Erasing somebody's data: one transaction after which nothing is sent, then small steps until nothing is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, LargeBinary, Text, cast, delete, func, insert, or_, select, update

from tidings.domain.app import App
from tidings.domain.delivery import ShardStatus
from tidings.domain.erasure import Erasure, ErasureStatus, InHand, Sought, Subject
from tidings.domain.message import Message
from tidings.domain.subscription import SubscriptionStatus
from tidings.storage import erasing_apps, mentions
from tidings.storage.clearing import delete_some
from tidings.storage.codec import message_from_json
from tidings.storage.erasure_rows import NOT_NOTED, erasure_from, may_hold, waited_for
from tidings.storage.events import forget_person
from tidings.storage.forgetting import forget_names, forget_wishes
from tidings.storage.history import clear_history, remove_device
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import users
from tidings.storage.tables.erasures import erased_devices, erasures
from tidings.storage.tables.notifications import notifications, shards
from tidings.storage.tables.subscriptions import subscriptions, tracked_events
from tidings.storage.webhook_events import forget_answers, hold_answers

e = erasures.c
s = subscriptions.c
t = tracked_events.c
c = shards.c
ERASED = "erased"
LOOKS = 500
"""Notifications looked through at a time."""


class SqlErasures:
    """Implements `storage.Erasures`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def user(self, app: App, external_id: str, *, public_id: str, now: datetime) -> Erasure:
        """Forget a person and every device of theirs, and begin to remove what hangs on them."""
        of = (s.app_id == app.id, s.user_external_id == external_id)
        devices = self._devices(*of)
        person = delete(users).where(users.c.app_id == app.id, users.c.external_id == external_id)
        known = self._scope.connection.execute(person).rowcount
        at_once = Counter(users=known) + forget_wishes(self._scope, app.id, external_id)
        before = self._before(app.id, Subject.USER, external_id)
        if before is not None and not at_once and not devices:
            return before
        sought, at_once["subscriptions"] = Sought(external_id, tuple(row.public_id for row in devices)), len(devices)
        return self._begin(app, Subject.USER, external_id, sought, devices, at_once, public_id=public_id, now=now)

    def device(self, app: App, subscription: str, *, public_id: str, now: datetime) -> Erasure | None:
        """Forget a device, and begin to remove what hangs on it; None when there is none and never was."""
        of = (s.app_id == app.id, s.public_id == subscription)
        devices = self._devices(*of)
        if not devices:
            return self._before(app.id, Subject.SUBSCRIPTION, subscription)
        sought, removed, of_device = Sought(devices=(subscription,)), Counter(subscriptions=1), Subject.SUBSCRIPTION
        return self._begin(app, of_device, subscription, sought, devices, removed, public_id=public_id, now=now)

    def app(self, app: App, *, public_id: str, now: datetime) -> Erasure:
        """Let nobody find an App any more and nothing of it be sent, and begin to remove all that is its."""
        erasing_apps.close(self._scope, app.id, now=now)
        return self._begin(app, Subject.APP, app.public_id, Sought(), (), Counter(), public_id=public_id, now=now)

    def get(self, public_id: str) -> Erasure | None:
        """Find by public id."""
        row = self._scope.connection.execute(select(erasures).where(e.public_id == public_id)).first()
        return erasure_from(row) if row else None

    def page(self, app_id: int, *, after: int, limit: int) -> list[Erasure]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(erasures).where(e.app_id == app_id).order_by(e.id.desc()).limit(limit)
        if after:
            query = query.where(e.id < after)
        return [erasure_from(row) for row in self._scope.connection.execute(query)]

    def running(self, *, limit: int) -> list[int]:
        """Give ids of those that are not done, the oldest first."""
        query = select(e.id).where(e.status == ErasureStatus.RUNNING).order_by(e.id).limit(limit)
        return list(self._scope.connection.execute(query).scalars())

    def note_in_hand(self, erasure_id: int, *, now: datetime) -> int:
        """Note which chunks may hold a message to the subject; to be asked once it has been committed that none may.

        Whoever loads a chunk holds its shard until then: so each is seen whose load began before.
        """
        row = self._held(erasure_id)  # before any shard, as each step of it does
        if row is None or row.in_hand != NOT_NOTED:
            return 0 if row is None else len(row.in_hand)
        ids = list(self._scope.connection.execute(_todo(erasure_id)).scalars())
        if not (ids or row.subject == Subject.APP):
            self._set(erasure_id, in_hand=[])
            return 0
        theirs = [c.app_id == row.app_id, c.status.in_((ShardStatus.READY, ShardStatus.LEASED))]
        if ids:
            theirs.append(or_(c.n < 0, (c.low <= max(ids)) & (c.high >= min(ids))))
        found = waited_for(self._scope, *theirs)
        held = [
            InHand(shard.id, shard.lease_token, shard.chunk_open)
            for shard in found
            if shard.status == ShardStatus.LEASED and shard.due_at > now and may_hold(shard, ids)
        ]
        self._set(erasure_id, in_hand=[list(one) for one in held])
        return len(held)

    def still_in_hand(self, erasure_id: int, *, now: datetime) -> int:
        """Count the noted chunks that are still being sent."""
        row = self._row(erasure_id)
        return 0 if row is None else self._still(row, now=now)

    def step(self, erasure_id: int, *, limit: int, now: datetime) -> bool:
        """Remove up to `limit` rows; False when it is done, or waits for chunks that are being sent."""
        row = self._held(erasure_id)
        if row is None or row.status == ErasureStatus.DONE:
            return False
        if row.in_hand == NOT_NOTED:
            # Whoever asked for it has not come to that, or died before: what is gone could not be noted any more.
            self.note_in_hand(erasure_id, now=now)
            return True
        removed: Counter[str] = Counter(row.counts)
        goes_on = self._of_device(row, removed, limit=limit)
        goes_on = goes_on or self._of_events(row, removed, limit=limit)
        goes_on = goes_on or self._of_messages(row, removed)
        waits = bool(self._still(row, now=now))
        if not goes_on and row.subject == Subject.APP and not waits:
            goes_on = erasing_apps.remove_some(self._scope, row.app_id, removed, limit=limit, now=now)
        values: dict[str, Any] = {"counts": dict(+removed)}
        if not goes_on and not waits:
            values |= {"status": ErasureStatus.DONE, "finished_at": now, "sought": None, "in_hand": []}
        self._set(erasure_id, **values)
        return goes_on

    def addressed(
        self, app_id: int, sought: Sought, *, after: int, limit: int
    ) -> tuple[int | None, list[tuple[str, Message, datetime]]]:
        """Look through an App's notifications for those whose audience names somebody, and say where to go on."""
        to, rows = mentions.naming(self._scope, app_id, sought, after=after, limit=limit)
        return to, [(row.public_id, message_from_json(row.message), row.created_at) for row in rows]

    def _begin(
        self,
        app: App,
        subject: Subject,
        name: str,
        sought: Sought,
        devices: Sequence[AnyRow],
        removed: Counter[str],
        *,
        public_id: str,
        now: datetime,
    ) -> Erasure:
        look_to = select(func.coalesce(func.max(notifications.c.id), 0)).where(notifications.c.app_id == app.id)
        context = f"erasures|sought|{public_id}"
        hold_answers(self._scope, app.id)
        row = self._scope.connection.execute(
            insert(erasures)
            .values(
                public_id=public_id,
                app_id=app.id,
                app_public_id=app.public_id,
                subject=subject,
                subject_hash=self._hash(app.id, subject, name),
                sought=self._scope.sealer.seal(msgspec.json.encode(asdict(sought)), context=context),
                status=ErasureStatus.RUNNING,
                counts=dict(+removed),
                in_hand=NOT_NOTED,
                look_to=0 if subject is Subject.APP else self._scope.connection.execute(look_to).scalar_one(),
                asked_at=now,
            )
            .returning(erasures)
        ).one()
        if devices:
            listed = [{"erasure_id": row.id, "subscription_id": one.id, "public_id": one.public_id} for one in devices]
            self._scope.connection.execute(insert(erased_devices), listed)
            self._empty([one.id for one in devices])
            forget_names(self._scope, app.id, set(sought.devices))
        forget_answers(self._scope, app.id)
        return erasure_from(row)

    def _empty(self, ids: Sequence[int]) -> None:
        """Leave of devices only rows that nothing finds and nothing is sent to, until what hangs on them is gone."""
        emptied = (
            update(subscriptions)
            .where(self._scope.dialect.any_of(s.id, "ids"))
            .values(
                public_id=ERASED + "_" + cast(s.id, Text),
                user_external_id=None,
                status=SubscriptionStatus.UNSUBSCRIBED,
                status_reason=ERASED,
                locale=None,
                time_zone=None,
                tags={},
                device=None,
                origin="",
                credential_id=None,
                address=b"",
                secret_hash=b"",
                address_hash=cast(ERASED + "_" + cast(s.id, Text), LargeBinary),
                last_active_at=None,
            )
        )
        self._scope.connection.execute(emptied, {"ids": self._scope.dialect.many(list(ids))})

    def _of_device(self, row: AnyRow, removed: Counter[str], *, limit: int) -> bool:
        first = self._scope.connection.execute(_todo(row.id).limit(1)).scalar()
        if first is None:
            return False
        self._devices(s.id == first)  # before its deliveries, as settling does
        cleared = clear_history(self._scope, first, limit=limit)
        removed += cleared
        if cleared.total() < limit:
            # From here on nothing more is stored of it; what came until now is seen by the second look.
            remove_device(self._scope, first)
            removed += clear_history(self._scope, first, limit=limit)
            d = erased_devices.c
            done = delete(erased_devices).where(d.erasure_id == row.id, d.subscription_id == first)
            self._scope.connection.execute(done)
        return True

    def _of_events(self, row: AnyRow, removed: Counter[str], *, limit: int) -> bool:
        """Remove what a person did on devices that are others' by now; what came after they asked is not meant."""
        user = self._sought(row).user
        if user is None:
            return False
        theirs = (t.app_id == row.app_id, t.user_external_id == user, t.at <= row.asked_at)
        count = delete_some(self._scope, tracked_events, *theirs, limit=limit)
        if count < limit:
            count += forget_person(self._scope, row.app_id, user, before=row.asked_at, limit=limit - count)
        removed["events"] += count
        return count == limit

    def _of_messages(self, row: AnyRow, removed: Counter[str]) -> bool:
        if row.looked_at >= row.look_to:
            return False
        to, changed = mentions.forget(
            self._scope, row.app_id, self._sought(row), after=row.looked_at, to=row.look_to, limit=LOOKS
        )
        removed["messages"] += changed
        self._set(row.id, looked_at=to)
        return to < int(row.look_to)

    def _still(self, row: AnyRow, *, now: datetime) -> int:
        noted = {InHand(*one) for one in row.in_hand}
        query = select(c.id, c.lease_token, c.chunk_open).where(
            self._scope.dialect.any_of(c.id, "ids"), c.status == ShardStatus.LEASED, c.due_at > now
        )
        ids = self._scope.dialect.many([one.shard_id for one in noted])
        return sum(InHand(*one) in noted for one in self._scope.connection.execute(query, {"ids": ids})) if noted else 0

    def _before(self, app_id: int, subject: Subject, name: str) -> Erasure | None:
        same = (e.app_id == app_id, e.subject_hash == self._hash(app_id, subject, name))
        row = self._scope.connection.execute(select(erasures).where(*same).order_by(e.id.desc()).limit(1)).first()
        return erasure_from(row) if row else None

    def _sought(self, row: AnyRow) -> Sought:
        context = f"erasures|sought|{row.public_id}"
        return msgspec.json.decode(self._scope.sealer.open(row.sought, context=context), type=Sought)

    def _hash(self, app_id: int, subject: Subject, name: str) -> bytes:
        return self._scope.sealer.blind_index(name.encode(), context=f"erasures|{subject}|{app_id}")

    def _row(self, erasure_id: int) -> AnyRow | None:
        return self._scope.connection.execute(select(erasures).where(e.id == erasure_id)).first()

    def _held(self, erasure_id: int) -> AnyRow | None:
        return self._scope.connection.execute(select(erasures).where(e.id == erasure_id).with_for_update()).first()

    def _devices(self, *of: ColumnElement[bool]) -> Sequence[AnyRow]:
        """Hold devices by their ids, as settling does."""
        query = select(s.id, s.public_id).where(*of).order_by(s.id)
        return self._scope.connection.execute(query.with_for_update()).all()

    def _set(self, erasure_id: int, **values: Any) -> None:
        self._scope.connection.execute(update(erasures).where(e.id == erasure_id).values(values))


def _todo(erasure_id: int) -> Any:
    d = erased_devices.c
    return select(d.subscription_id).where(d.erasure_id == erasure_id).order_by(d.subscription_id)
