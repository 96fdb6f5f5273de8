"""What may be done, and who may do it: the one map from roles and scopes of API keys to permissions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    """What a route asks for. Those of the first part are held in an App, the others on the instance or by anybody."""

    APP_SEE = "app.see"
    APP_READ = "app.read"
    MESSAGE_READ = "message.read"
    MESSAGE_SEND = "message.send"
    TEMPLATE_READ = "template.read"
    TEMPLATE_WRITE = "template.write"
    SEGMENT_READ = "segment.read"
    SEGMENT_WRITE = "segment.write"
    SUBSCRIPTION_WRITE = "subscription.write"
    SUBSCRIPTION_DELETE = "subscription.delete"
    SUBSCRIPTION_IMPORT = "subscription.import"
    SUBSCRIPTION_EXPORT = "subscription.export"
    USER_WRITE = "user.write"
    EVENT_TYPE_READ = "event_type.read"
    EVENT_TYPE_WRITE = "event_type.write"
    EVENT_READ = "event.read"
    EVENT_SEND = "event.send"
    TRIGGER_READ = "trigger.read"
    TRIGGER_WRITE = "trigger.write"
    PRESET_APPLY = "preset.apply"
    WEBHOOK_READ = "webhook.read"
    WEBHOOK_WRITE = "webhook.write"
    PERSONAL_DATA_EXPORT = "personal_data.export"
    PERSONAL_DATA_ERASE = "personal_data.erase"
    INTEGRATION_WRITE = "integration.write"
    DELIVERY_REPAIR = "delivery.repair"
    KEY_MANAGE = "key.manage"
    MEMBER_MANAGE = "member.manage"
    OWNER_MANAGE = "owner.manage"
    APP_SETTINGS = "app.settings"
    APP_DELETE = "app.delete"
    AUDIT_READ = "audit.read"

    INSTANCE_READ = "instance.read"
    INSTANCE_MANAGE = "instance.manage"
    INSTANCE_MEMBERS = "instance.members"

    SELF = "self"
    """What every signed-in member may do with their own account, and nobody else."""
    OPEN = "open"
    """What needs no caller at all: signing in, and what the links that we hand out lead to."""


P = Permission
OF_INSTANCE = frozenset({P.INSTANCE_READ, P.INSTANCE_MANAGE, P.INSTANCE_MEMBERS})
OF_APP = frozenset(P) - OF_INSTANCE - {P.SELF, P.OPEN}

_VIEW = frozenset(
    {
        P.APP_SEE,
        P.APP_READ,
        P.MESSAGE_READ,
        P.EVENT_TYPE_READ,
        P.EVENT_READ,
        P.TRIGGER_READ,
        P.TEMPLATE_READ,
        P.SEGMENT_READ,
    }
)
_EDIT = _VIEW | {
    P.MESSAGE_SEND,
    P.SUBSCRIPTION_WRITE,
    P.USER_WRITE,
    P.EVENT_TYPE_WRITE,
    P.EVENT_SEND,
    P.TRIGGER_WRITE,
    P.TEMPLATE_WRITE,
    P.PRESET_APPLY,
    P.SEGMENT_WRITE,
}
_ADMINISTER = _EDIT | {
    P.SUBSCRIPTION_DELETE,
    P.SUBSCRIPTION_IMPORT,
    P.INTEGRATION_WRITE,
    P.DELIVERY_REPAIR,
    P.KEY_MANAGE,
    P.WEBHOOK_READ,
    P.WEBHOOK_WRITE,
    P.APP_SETTINGS,
    P.AUDIT_READ,
}


class Role(StrEnum):
    """What a member is in an App, from the one who may do everything in it to the one who only looks."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: OF_APP,
    Role.ADMIN: _ADMINISTER | {P.MEMBER_MANAGE},
    Role.EDITOR: _EDIT,
    Role.VIEWER: _VIEW,
}


class Scope(StrEnum):
    """What an API key may do. `read`, `send` and `admin` are enough for most; the others open one thing each, and what
    carries people's data or lets people in is in none of the three."""

    READ = "read"
    SEND = "send"
    ADMIN = "admin"
    MESSAGES_SEND = "messages:send"
    MESSAGES_READ = "messages:read"
    TEMPLATES_WRITE = "templates:write"
    SEGMENTS_WRITE = "segments:write"
    USERS_WRITE = "users:write"
    EVENTS_WRITE = "events:write"
    EVENTS_READ = "events:read"
    TRIGGERS_WRITE = "triggers:write"
    WEBHOOKS_MANAGE = "webhooks:manage"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    SUBSCRIPTIONS_EXPORT = "subscriptions:export"
    PERSONAL_DATA = "personal_data"
    MEMBERS_MANAGE = "members:manage"
    AUDIT_READ = "audit:read"


_SEE = frozenset({P.APP_SEE})

SCOPES: Mapping[Scope, frozenset[Permission]] = {
    Scope.READ: _VIEW,
    Scope.SEND: _SEE
    | {
        P.MESSAGE_READ,
        P.MESSAGE_SEND,
        P.SUBSCRIPTION_WRITE,
        P.USER_WRITE,
        P.EVENT_SEND,
        P.TEMPLATE_READ,
        P.SEGMENT_READ,
    },
    Scope.ADMIN: _ADMINISTER,
    Scope.MESSAGES_SEND: _SEE | {P.MESSAGE_SEND},
    Scope.MESSAGES_READ: _SEE | {P.MESSAGE_READ},
    Scope.TEMPLATES_WRITE: _SEE | {P.TEMPLATE_READ, P.TEMPLATE_WRITE},
    Scope.SEGMENTS_WRITE: _SEE | {P.SEGMENT_READ, P.SEGMENT_WRITE},
    Scope.USERS_WRITE: _SEE | {P.USER_WRITE},
    Scope.EVENTS_WRITE: _SEE | {P.EVENT_SEND},
    Scope.EVENTS_READ: _SEE | {P.EVENT_TYPE_READ, P.EVENT_READ},
    Scope.TRIGGERS_WRITE: _SEE | {P.EVENT_TYPE_READ, P.EVENT_TYPE_WRITE, P.TRIGGER_READ, P.TRIGGER_WRITE},
    Scope.WEBHOOKS_MANAGE: _SEE | {P.WEBHOOK_READ, P.WEBHOOK_WRITE},
    Scope.SUBSCRIPTIONS_WRITE: _SEE | {P.SUBSCRIPTION_WRITE},
    Scope.SUBSCRIPTIONS_EXPORT: _SEE | {P.SUBSCRIPTION_EXPORT},
    Scope.PERSONAL_DATA: _SEE | {P.PERSONAL_DATA_EXPORT, P.PERSONAL_DATA_ERASE},
    Scope.MEMBERS_MANAGE: _SEE | {P.MEMBER_MANAGE},
    Scope.AUDIT_READ: _SEE | {P.AUDIT_READ},
}
"""Owners, and the App itself, are for people alone: no key makes an owner or deletes an App."""


def of_scopes(scopes: Iterable[str]) -> frozenset[Permission]:
    """Give what a key with these scopes may do in its App; words that are no scope open nothing."""
    known = frozenset(Scope)
    return frozenset().union(*(SCOPES[Scope(scope)] for scope in scopes if scope in known))


@dataclass(frozen=True, slots=True)
class Grants:
    """What somebody holds: on the instance, in every App, and in single Apps by their ids."""

    instance: frozenset[Permission] = frozenset()
    everywhere: frozenset[Permission] = frozenset()
    apps: Mapping[int, frozenset[Permission]] = field(default_factory=dict)

    def on_instance(self, permission: Permission) -> bool:
        """Tell whether it is held on the whole instance: one of an App must be held in every App."""
        return permission in self.instance or permission in self.everywhere

    def in_app(self, permission: Permission, app_id: int) -> bool:
        """Tell whether it is held in that App."""
        return permission in self.everywhere or permission in self.apps.get(app_id, frozenset())

    def somewhere(self, permission: Permission) -> bool:
        """Tell whether it is held in any App, or on the instance."""
        return self.on_instance(permission) or any(permission in held for held in self.apps.values())

    def of_app(self, app_id: int) -> frozenset[Permission]:
        """Give everything that is held in that App."""
        return self.everywhere | self.apps.get(app_id, frozenset())

    def reach(self, permission: Permission) -> frozenset[int] | None:
        """Give the Apps in which it is held; None for every App."""
        if permission in self.everywhere:
            return None
        return frozenset(app_id for app_id, held in self.apps.items() if permission in held)

    def knows(self, app_id: int) -> bool:
        """Tell whether the App is theirs at all; of others they are not even told that they exist."""
        return bool(self.everywhere) or app_id in self.apps


EVERYTHING = Grants(instance=OF_INSTANCE, everywhere=OF_APP)
"""What super admins and the operator of the machine hold."""


def of_key(scopes: Collection[str], app_id: int | None) -> Grants:
    """Give what an API key holds: in its App, or with `app_id` None in every App; `admin` for all is the instance's."""
    held = of_scopes(scopes)
    if app_id is not None:
        return Grants(apps={app_id: held})
    if Scope.ADMIN in scopes:
        return Grants(instance=frozenset({P.INSTANCE_READ, P.INSTANCE_MANAGE}), everywhere=held)
    return Grants(instance=frozenset({P.INSTANCE_READ} if Scope.READ in scopes else ()), everywhere=held)


def of_roles(roles: Mapping[int, Role], *, super_admin: bool) -> Grants:
    """Give what a member holds by their roles in Apps."""
    return EVERYTHING if super_admin else Grants(apps={app_id: ROLES[role] for app_id, role in roles.items()})
