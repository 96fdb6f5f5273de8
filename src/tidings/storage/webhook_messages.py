"""What webhooks are told: messages made of the outbox, each in one hand at a time, and how their tries went."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, insert, literal, select, update

from tidings.domain.webhook import (
    Job,
    MessageStatus,
    ReadyWebhook,
    Verdict,
    Webhook,
    WebhookAttempt,
    WebhookMessage,
)
from tidings.storage.columns import Moment
from tidings.storage.outbox import bytes_from_happenings, happenings_from_bytes
from tidings.storage.scope import AnyRow, Scope
from tidings.storage.tables.apps import apps
from tidings.storage.tables.erasures import erasures
from tidings.storage.tables.webhooks import webhook_attempts, webhook_messages, webhooks
from tidings.storage.webhook_events import events_from
from tidings.storage.webhook_gathering import WAITING, gather, new_row
from tidings.storage.webhooks import hold, note_kinds, webhook

w = webhooks.c
m = webhook_messages.c
a = webhook_attempts.c

_COLUMNS = tuple(column for column in m if column.name != "happenings")

NEVER_TOLD = "never_told"


class SqlWebhookMessages:
    """Implements `storage.WebhookMessages`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def gather(self, *, new_id: Callable[[], str], limit: int, now: datetime) -> int:
        """Make messages of up to `limit` rows of the outbox; give how many rows there were."""
        return gather(self._scope, new_id=new_id, limit=limit, now=now)

    def ready(self, *, now: datetime, but: Collection[int]) -> list[ReadyWebhook]:
        """Give webhooks with a message that is due and nobody has in hand, and whether their last try failed."""
        due = select(m.id).where(m.webhook_id == w.id, WAITING, m.due_at <= now).exists()
        query = (
            select(w.id, w.app_id, w.failures)
            .join(apps, apps.c.id == w.app_id)
            .where(apps.c.erased_at.is_(None), w.enabled == 1, w.leased_until <= now, w.rests_until <= now, due)
            .order_by(w.leased_until, w.id)
        )
        rows = self._scope.connection.execute(query)
        return [ReadyWebhook(row.id, row.app_id, row.failures > 0) for row in rows if row.id not in but]

    def take(self, webhook_id: int, *, now: datetime, lease: float) -> Job | None:
        """Take what is next for a webhook, for `lease` seconds; None when somebody has it, or nothing is due."""
        until = now + timedelta(seconds=lease)
        free = (w.id == webhook_id, w.enabled == 1, w.leased_until <= now, w.rests_until <= now)
        taken = update(webhooks).where(*free).values(leased_until=until, token=w.token + 1).returning(webhooks)
        row = self._scope.connection.execute(taken).first()
        if row is None:
            return None
        due = select(m.id).where(m.webhook_id == webhook_id, WAITING, m.due_at <= now)
        first = due.order_by(m.due_at, m.id).limit(1).scalar_subquery()
        # Should we die now, it is due again when the lease has ended.
        begun = update(webhook_messages).where(m.id == first).values(tries=m.tries + 1, due_at=until)
        message = self._scope.connection.execute(begun.returning(*_COLUMNS)).first()
        if message is None:
            self._scope.connection.execute(update(webhooks).where(w.id == webhook_id).values(leased_until=now))
            return None
        return Job(webhook(self._scope, row), _message(message), row.token, self._newest_erasure())

    def settle(self, job: Job, attempt: WebhookAttempt | None, verdict: Verdict, *, now: datetime) -> bool:
        """Write down how a try went and what follows; False when the lease was lost or the message is gone.

        What was answered is not kept where somebody of the App was erased meanwhile: it may name them.
        """
        if verdict.disable is not None:
            hold(self._scope, job.webhook.app_id)
        token = select(w.token).where(w.id == job.webhook.id).with_for_update()
        held = self._scope.connection.execute(token).scalar()
        if held is None or (held != job.token and not job.message.test):
            return False
        if not self._end(job, attempt, verdict, now=now):
            return False
        if attempt is not None:
            self._log(job, attempt)
        values = _after(job, attempt, verdict, now=now)
        if values:
            self._scope.connection.execute(update(webhooks).where(w.id == job.webhook.id).values(values))
        if verdict.disable is not None:
            note_kinds(self._scope, job.webhook.app_id)
        return True

    def _end(self, job: Job, attempt: WebhookAttempt | None, verdict: Verdict, *, now: datetime) -> bool:
        """Write down with the message what became of it; False where it is gone, or its App."""
        there = select(apps.c.id).where(apps.c.id == job.webhook.app_id, apps.c.erased_at.is_(None)).exists()
        same = [m.id == job.message.id, there]
        # A test is told beside the others, under no lease.
        same += [m.tries == job.message.tries] if job.message.test else []
        ended = update(webhook_messages).where(*same)
        values = {
            "status": verdict.status,
            "due_at": verdict.due_at or now,
            "done_at": now if verdict.status is not MessageStatus.WAITING else None,
            "last_status": attempt.status if attempt else None,
            "last_failure": attempt.failure if attempt else "",
        }
        return self._scope.connection.execute(ended.values(values)).rowcount > 0

    def _log(self, job: Job, attempt: WebhookAttempt) -> None:
        values = {
            "message_id": job.message.id,
            "app_id": job.webhook.app_id,
            "at": attempt.at,
            "status": attempt.status,
            "failure": attempt.failure,
            "milliseconds": int(attempt.seconds * 1_000),
            "answer": attempt.answer,
        }
        if attempt.answer:
            since = select(erasures.c.id).where(erasures.c.id > job.erasure, erasures.c.app_id == job.webhook.app_id)
            if self._scope.connection.execute(since.limit(1)).first() is not None:
                values["answer"] = ""
        self._scope.connection.execute(insert(webhook_attempts).values(values))

    def _newest_erasure(self) -> int:
        """Give the newest erasure; to be asked while the webhook is held, as whoever erases waits for that."""
        newest: int | None = self._scope.connection.execute(select(func.max(erasures.c.id))).scalar()
        return newest or 0

    def free(self, *, now: datetime) -> None:
        """Let every lease end now, and what was in hand be due."""
        held = update(webhooks).where(w.leased_until > now).values(leased_until=now).returning(w.id)
        for webhook_id in self._scope.connection.execute(held).scalars().all():
            in_hand = (m.webhook_id == webhook_id, WAITING, m.tries > 0, m.test == 0, m.due_at > now)
            first = select(m.id).where(*in_hand).order_by(m.due_at).limit(1).scalar_subquery()
            self._scope.connection.execute(update(webhook_messages).where(m.id == first).values(due_at=now))

    def clock_went_back(self, *, now: datetime, was: datetime, lease: float) -> None:
        """Let what was due before the clock went back from `was`, or soon after, be due now, and leases end in time.

        Doing it twice changes nothing: every worker may.
        """
        span = timedelta(seconds=lease)
        held = update(webhooks).where(w.leased_until > now + span).values(leased_until=now + span)
        rests = update(webhooks).where(w.rests_until > now, w.rests_until <= was + span).values(rests_until=now)
        late = update(webhook_messages).where(WAITING, m.test == 0, m.due_at > now, m.due_at <= was + span)
        for work in (held, rests, late.values(due_at=now)):
            self._scope.connection.execute(work)

    def events(self, message: WebhookMessage) -> list[dict[str, Any]]:
        """Give what a message says, as it is now; of who was erased meanwhile nothing is left."""
        packed = self._scope.connection.execute(select(m.happenings).where(m.id == message.id)).scalar()
        happened = happenings_from_bytes(packed) if packed else []
        return events_from(self._scope, message.app_id, message.public_id, happened)

    def add_test(self, webhook: Webhook, *, public_id: str, now: datetime, lease: float) -> Job:
        """Store a message that says nothing but that it is a test, in hand already, beside what else is told."""
        values = new_row(webhook.id, webhook.app_id, public_id=public_id, now=now) | {
            "happenings": bytes_from_happenings([]),
            "n_events": 1,
            "test": 1,
            "tries": 1,
            "due_at": now + timedelta(seconds=lease),
        }
        held = select(w.token).where(w.id == webhook.id).with_for_update()
        token = self._scope.connection.execute(held).scalar_one()
        row = self._scope.connection.execute(insert(webhook_messages).values(values).returning(*_COLUMNS)).one()
        return Job(webhook, _message(row), token, self._newest_erasure())

    def get(self, webhook_id: int, public_id: str) -> WebhookMessage | None:
        """Find by public id."""
        query = select(*_COLUMNS).where(m.webhook_id == webhook_id, m.public_id == public_id)
        row = self._scope.connection.execute(query).first()
        return _message(row) if row else None

    def page(
        self, webhook_id: int, *, after: int, limit: int, status: MessageStatus | None = None
    ) -> list[WebhookMessage]:
        """List newest first; `after` is the id of the last one seen, 0 to begin."""
        query = select(*_COLUMNS).where(m.webhook_id == webhook_id).order_by(m.id.desc()).limit(limit)
        if after:
            query = query.where(m.id < after)
        if status is not None:
            query = query.where(m.status == status)
        return [_message(row) for row in self._scope.connection.execute(query)]

    def waiting(self, webhook_id: int) -> int:
        """Count the messages that wait."""
        query = select(func.count()).select_from(webhook_messages).where(m.webhook_id == webhook_id, WAITING)
        count: int = self._scope.connection.execute(query).scalar_one()
        return count

    def attempts(self, message_id: int, *, limit: int) -> list[WebhookAttempt]:
        """List how it went, the newest first."""
        query = select(webhook_attempts).where(a.message_id == message_id).order_by(a.id.desc()).limit(limit)
        return [
            WebhookAttempt(row.at, row.status, row.failure, row.milliseconds / 1_000, row.answer)
            for row in self._scope.connection.execute(query)
        ]

    def again(
        self,
        webhook_id: int,
        *,
        now: datetime,
        message_id: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        status: MessageStatus | None = None,
    ) -> int:
        """Have messages sent again: one, due now also if it waits, or those made within a time; give how many."""
        if message_id is not None:
            waits = (m.id == message_id, m.webhook_id == webhook_id, WAITING, m.test == 0, m.due_at > now)
            sooner = update(webhook_messages).where(*waits).values(due_at=now)
            if self._scope.connection.execute(sooner).rowcount:
                return 1
        wanted = [m.webhook_id == webhook_id, m.status != MessageStatus.WAITING, m.test == 0]
        wanted += [m.id == message_id] if message_id is not None else []
        wanted += [m.created_at >= since] if since is not None else []
        wanted += [m.created_at < until] if until is not None else []
        wanted += [m.status == status] if status is not None else []
        anew = {"status": MessageStatus.WAITING, "begun_at": now, "due_at": now, "done_at": None, "tries": 0}
        return self._scope.connection.execute(update(webhook_messages).where(*wanted).values(anew)).rowcount

    def give_up(self, *, before: datetime, now: datetime) -> int:
        """Give up what has been due since before then and could never be told; give how many messages."""
        late = update(webhook_messages).where(WAITING, m.begun_at < before)
        given = late.values(status=MessageStatus.FAILED, done_at=now, last_failure=NEVER_TOLD)
        return self._scope.connection.execute(given).rowcount

    def purge(self, *, before: datetime, limit: int) -> int:
        """Forget up to `limit` messages made before then, each with its tries, and tries without one; give how many."""
        old = select(m.id).where(m.created_at < before, ~WAITING).order_by(m.created_at).limit(limit)
        ids = self._scope.connection.execute(old).scalars().all()
        if not ids:
            return self._purge_orphans(before, limit)
        values = {"ids": self._scope.dialect.many(ids)}
        self._scope.connection.execute(
            delete(webhook_attempts).where(self._scope.dialect.any_of(a.message_id, "ids")), values
        )
        return self._scope.connection.execute(
            delete(webhook_messages).where(self._scope.dialect.any_of(m.id, "ids")), values
        ).rowcount

    def _purge_orphans(self, before: datetime, limit: int) -> int:
        """Forget tries of that time whose message is gone, among the oldest: few that old are left but for them."""
        oldest = select(a.id, a.message_id, a.at).order_by(a.id).limit(limit).subquery().c
        there = select(m.id).where(m.id == oldest.message_id).exists()
        orphans = select(oldest.id).where(oldest.at < before, ~there)
        return self._scope.connection.execute(delete(webhook_attempts).where(a.id.in_(orphans))).rowcount


def _after(job: Job, attempt: WebhookAttempt | None, verdict: Verdict, *, now: datetime) -> dict[str, Any]:
    """Give what a webhook is after a try. A test holds no lease and ends none."""
    values: dict[str, Any] = {}
    if not job.message.test:
        values |= {"leased_until": now, "rests_until": verdict.rests_until or now}
    if attempt is not None and attempt.succeeded:
        values |= {"failures": 0, "failing_since": None, "succeeded_at": now, "rests_until": verdict.rests_until or now}
    elif attempt is not None:
        since = func.coalesce(w.failing_since, literal(now, Moment))
        values |= {"failures": w.failures + 1, "failing_since": since}
    if verdict.disable is not None:
        # Whoever turned it off themselves meanwhile needs not be told.
        because = case((w.enabled == 1, verdict.disable.value), else_=w.disabled_because)
        values |= {"enabled": 0, "disabled_because": because}
    return values


def _message(row: AnyRow) -> WebhookMessage:
    return WebhookMessage(
        id=row.id,
        public_id=row.public_id,
        webhook_id=row.webhook_id,
        app_id=row.app_id,
        status=MessageStatus(row.status),
        events=row.n_events,
        tries=row.tries,
        test=bool(row.test),
        created_at=row.created_at,
        begun_at=row.begun_at,
        due_at=row.due_at,
        done_at=row.done_at,
        last_status=row.last_status,
        last_failure=row.last_failure,
    )
