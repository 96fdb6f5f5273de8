"""Who did what to whom: the entries of the audit log, each bound to the one before it by its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ActorKind(StrEnum):
    """A person of the dashboard, a program, whoever has the machine, or Tidings by itself."""

    MEMBER = "member"
    KEY = "key"
    OPERATOR = "operator"
    SYSTEM = "system"
    NOBODY = "nobody"
    """Somebody who has not said who they are, such as one whose sign-in was refused."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `id` is the member's or key's public id, `address` where the request came from."""

    kind: ActorKind
    id: str | None
    name: str
    address: str | None = None


SYSTEM = Actor(ActorKind.SYSTEM, None, "tidings")


def is_person(actor: Actor) -> bool:
    """Say whether somebody acts, and no program: what programs do all day is not written down one by one."""
    return actor.kind in (ActorKind.MEMBER, ActorKind.OPERATOR)


def nobody(address: str | None) -> Actor:
    """Give who acts where nobody is signed in."""
    return Actor(ActorKind.NOBODY, None, "", address)


class Action(StrEnum):
    """What was done; a word is never reused for something else."""

    APP_CREATED = "app.created"
    APP_CHANGED = "app.changed"
    APP_DELETED = "app.deleted"
    IDENTITY_SECRET_SHOWN = "app.identity_secret_shown"  # noqa: S105 - a word, not a secret
    INTEGRATION_CHANGED = "integration.changed"
    INTEGRATION_RESUMED = "integration.resumed"
    INTEGRATION_REMOVED = "integration.removed"
    CREDENTIAL_ADDED = "credential.added"
    CHANNEL_CREATED = "channel.created"
    CHANNEL_DELETED = "channel.deleted"
    NOTIFICATION_CREATED = "notification.created"
    NOTIFICATION_PAUSED = "notification.paused"
    NOTIFICATION_RESUMED = "notification.resumed"
    NOTIFICATION_CANCELLED = "notification.cancelled"
    HELD_SENT = "notification.held_sent"
    HELD_CANCELLED = "notification.held_cancelled"
    TEMPLATE_CREATED = "template.created"
    TEMPLATE_CHANGED = "template.changed"
    TEMPLATE_DELETED = "template.deleted"
    IMAGE_UPLOADED = "image.uploaded"
    IMAGE_DELETED = "image.deleted"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_DELETED = "subscription.deleted"
    SUBSCRIPTIONS_IMPORTED = "subscriptions.imported"
    SUBSCRIPTIONS_EXPORTED = "subscriptions.exported"
    USER_WRITTEN = "user.written"
    USER_DELETED = "user.deleted"
    SEGMENT_CREATED = "segment.created"
    SEGMENT_CHANGED = "segment.changed"
    SEGMENT_DELETED = "segment.deleted"
    EVENT_TYPE_SET = "event_type.set"
    EVENT_TYPE_REMOVED = "event_type.removed"
    EVENTS_SENT = "events.sent"
    EVENT_REPLAYED = "event.replayed"
    PREFERENCES_CHANGED = "preferences.changed"
    FOLLOWS_CHANGED = "follows.changed"
    QUIET_HOURS_CHANGED = "quiet_hours.changed"
    TRIGGER_CREATED = "trigger.created"
    TRIGGER_CHANGED = "trigger.changed"
    TRIGGER_DELETED = "trigger.deleted"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_TURNED_OFF = "webhook.turned_off"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - a word, not a secret
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REPLAYED = "webhook.replayed"
    PERSONAL_DATA_EXPORTED = "personal_data.exported"
    PERSONAL_DATA_ERASED = "personal_data.erased"
    SENDING_PAUSED = "sending.paused"
    SENDING_RESUMED = "sending.resumed"
    DEAD_SHARD_REQUEUED = "dead_shard.requeued"
    DEAD_SHARD_DROPPED = "dead_shard.dropped"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    MEMBER_CREATED = "member.created"
    MEMBER_CHANGED = "member.changed"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_REMOVED = "member.removed"
    MEMBER_DISABLED = "member.disabled"
    MEMBER_ENABLED = "member.enabled"
    SUPER_ADMIN_GRANTED = "member.super_admin_granted"
    SUPER_ADMIN_TAKEN = "member.super_admin_taken"
    INVITATION_CREATED = "invitation.created"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    INVITATION_ACCEPTED = "invitation.accepted"
    SIGNED_IN = "session.signed_in"
    SIGN_IN_REFUSED = "session.sign_in_refused"
    SIGNED_OUT = "session.signed_out"
    SESSIONS_ENDED = "session.ended"
    PASSWORD_CHANGED = "member.password_changed"  # noqa: S105 - a word, not a secret
    RESET_LINK_MADE = "member.reset_link_made"
    PASSWORD_RESET = "member.password_reset"  # noqa: S105 - a word, not a secret
    SECOND_FACTOR_RESET = "second_factor.reset"
    TOTP_ADDED = "second_factor.totp_added"
    TOTP_REMOVED = "second_factor.totp_removed"
    RECOVERY_CODES_MADE = "second_factor.recovery_codes_made"
    RECOVERY_CODE_USED = "second_factor.recovery_code_used"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_RENAMED = "passkey.renamed"
    PASSKEY_REMOVED = "passkey.removed"
    OIDC_PROVIDER_SET = "oidc.provider_set"
    OIDC_PROVIDER_REMOVED = "oidc.provider_removed"
    OIDC_LINKED = "oidc.linked"
    OIDC_UNLINKED = "oidc.unlinked"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_CUT = "audit.cut"


@dataclass(frozen=True, slots=True)
class Subject:
    """What it was done to: `notification`, its public id, and what people call it."""

    kind: str
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `app_id` None is the instance's own chain; `n` counts up from 1 within a chain.

    `hash` is SHA-256 over the hash before it (32 zero bytes at the beginning) and the entry as canonical JSON.
    """

    id: int
    app_id: int | None
    n: int
    at: datetime
    actor: Actor
    action: str
    subject: Subject
    detail: Mapping[str, Any]
    hash: bytes = field(repr=False)
    previous: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a chain begins since its oldest entries had their time: after entry `n`, whose hash was `hash`.

    `genuine` tells whether it was written with the key ring, and not only with access to the database.
    """

    n: int
    hash: bytes = field(repr=False)
    at: datetime
    genuine: bool
