"""Links end with the right to make them: of who left, lost the role or was shut out, and of a key that is revoked."""

from __future__ import annotations

from datetime import datetime

from tidings.domain.audit import Action, Actor, Subject
from tidings.domain.member import Invitation
from tidings.domain.permission import Grants, Permission, Role, of_roles
from tidings.storage import Transaction

NOBODY = Grants()


def withdraw_what_member_may_not(tx: Transaction, inviter_id: str, *, by: Actor, now: datetime) -> None:
    """Withdraw the invitations of a member that they could not make now; call it after what they are has changed.

    The links for new passwords that they made end in any case: they stand for power over others.
    """
    member = tx.members.get(inviter_id)
    grants = NOBODY
    if member is not None and member.disabled_at is None:
        grants = of_roles(tx.members.roles(member.id), super_admin=member.super_admin)
    withdraw_beyond(tx, inviter_id, grants, by=by, now=now)


def withdraw_beyond(tx: Transaction, inviter_id: str, grants: Grants, *, by: Actor, now: datetime) -> None:
    """Withdraw the invitations of a member or key that these rights do not allow, and write each down."""
    tx.members.forget_resets_by(inviter_id)
    for one in tx.members.invitations_by(inviter_id):
        wanted = Permission.OWNER_MANAGE if one.role is Role.OWNER else Permission.MEMBER_MANAGE
        if grants.in_app(wanted, one.app_id):
            continue
        tx.members.withdraw(one.app_id, one.public_id)
        tx.audit.add(
            by,
            Action.INVITATION_WITHDRAWN,
            app_id=one.app_id,
            subject=subject_of_invitation(one),
            detail={"role": one.role.value, "because": "inviter_lost_role"},
            now=now,
        )


def subject_of_invitation(invitation: Invitation) -> Subject:
    """Give an invitation as that to which something is done."""
    return Subject("invitation", invitation.public_id, invitation.email)
