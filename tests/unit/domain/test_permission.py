"""Who may do what: each role and scope has more than the one below it, and nothing it should not."""

from __future__ import annotations

from itertools import pairwise

from tidings.domain.permission import (
    EVERYTHING,
    OF_APP,
    OF_INSTANCE,
    ROLES,
    SCOPES,
    Permission,
    Role,
    Scope,
    of_key,
    of_roles,
    of_scopes,
)

P = Permission


def test_every_permission_is_of_an_app_of_the_instance_or_of_everybody() -> None:
    assert frozenset(P) == OF_APP | OF_INSTANCE | {P.SELF, P.OPEN}
    assert OF_APP.isdisjoint(OF_INSTANCE)


def test_each_role_holds_what_the_one_below_it_holds_and_more() -> None:
    ladder = [ROLES[role] for role in (Role.VIEWER, Role.EDITOR, Role.ADMIN, Role.OWNER)]
    assert all(below < above for below, above in pairwise(ladder))
    assert ladder[-1] == OF_APP


def test_what_cannot_be_undone_or_carries_people_off_is_for_owners() -> None:
    for permission in (P.SUBSCRIPTION_EXPORT, P.PERSONAL_DATA_ERASE, P.APP_DELETE, P.OWNER_MANAGE):
        assert permission in ROLES[Role.OWNER]
        assert permission not in ROLES[Role.ADMIN]


def test_a_viewer_changes_nothing() -> None:
    assert {permission.value.partition(".")[2] for permission in ROLES[Role.VIEWER]} == {"see", "read"}


def test_no_scope_lets_a_key_make_owners_or_delete_the_app() -> None:
    held = frozenset().union(*SCOPES.values())
    assert held.isdisjoint({P.OWNER_MANAGE, P.APP_DELETE, P.SELF, P.OPEN} | OF_INSTANCE)
    assert set(SCOPES) == set(Scope)


def test_words_that_are_no_scope_open_nothing() -> None:
    assert of_scopes(["root", ""]) == frozenset()
    assert of_key(["root"], None).instance == frozenset()


def test_a_key_of_an_app_holds_nothing_on_the_instance_or_in_another() -> None:
    key = of_key(list(Scope), 7)
    assert not key.on_instance(P.INSTANCE_READ)
    assert not key.on_instance(P.KEY_MANAGE)
    assert key.in_app(P.KEY_MANAGE, 7)
    assert not key.in_app(P.APP_SEE, 8)
    assert key.reach(P.KEY_MANAGE) == {7}
    assert not key.knows(8)


def test_a_key_for_every_app_manages_the_instance_only_as_admin_and_never_its_members() -> None:
    assert of_key(["admin"], None).on_instance(P.INSTANCE_MANAGE)
    assert not of_key(["read", "send"], None).on_instance(P.INSTANCE_MANAGE)
    assert of_key(["read"], None).on_instance(P.INSTANCE_READ)
    assert not of_key(list(Scope), None).on_instance(P.INSTANCE_MEMBERS)


def test_a_member_holds_in_each_app_what_their_role_there_gives() -> None:
    held = of_roles({1: Role.OWNER, 2: Role.VIEWER}, super_admin=False)
    assert held.in_app(P.APP_DELETE, 1)
    assert not held.in_app(P.MESSAGE_SEND, 2)
    assert held.reach(P.APP_SEE) == {1, 2}
    assert held.reach(P.MESSAGE_SEND) == {1}
    assert not held.on_instance(P.INSTANCE_READ)
    assert of_roles({}, super_admin=True) == EVERYTHING
    assert EVERYTHING.reach(P.APP_DELETE) is None
