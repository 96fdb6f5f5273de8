"""Members, sessions and the audit log, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from support.stored import Given
from tidings.domain.audit import Action, Actor, ActorKind, Entry, Subject
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import Member, Stage
from tidings.domain.permission import Role
from tidings.storage import Store, Transaction
from tidings.storage.audit import BEGINNING, hash_of

ANNA = Actor(ActorKind.MEMBER, "mem_1", "Anna Ødegård", "203.0.113.7")


def add_member(tx: Transaction, given: Given, name: str, **changes: Any) -> Member:
    values: dict[str, Any] = {"public_id": f"mem_{name}", "email": f"{name}@example.com", "password": None}
    return tx.members.add(name=name, super_admin=False, now=given.now, **(values | changes))


async def member(store: Store, given: Given, name: str, **changes: Any) -> Member:
    return await store.write(lambda tx: add_member(tx, given, name, **changes))


class TestMembers:
    async def test_are_found_by_their_address_however_it_is_written(self, store: Store, given: Given) -> None:
        assert not await store.read(lambda tx: tx.members.any())
        anna = await member(store, given, "anna", email=" Anna@Example.COM ")
        assert anna.email == "Anna@Example.COM"
        for email in ("anna@example.com", "ANNA@EXAMPLE.COM "):
            assert await store.read(lambda tx, email=email: tx.members.by_email(email)) == anna
        with pytest.raises(CatalogueError) as refused:
            await member(store, given, "other", email="aNNa@example.com")
        assert refused.value.code is ErrorCode.EMAIL_TAKEN
        assert await store.read(lambda tx: tx.members.all()) == [anna]

    async def test_of_several_at_once_with_one_address_one_is_stored(self, store: Store, given: Given) -> None:
        made = await asyncio.gather(
            *(member(store, given, f"m{n}", email="one@example.com") for n in range(6)), return_exceptions=True
        )
        assert sum(isinstance(one, Member) for one in made) == 1
        assert {one.code for one in made if isinstance(one, CatalogueError)} == {ErrorCode.EMAIL_TAKEN}

    async def test_have_a_role_in_each_app_of_theirs(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        anna, ben = await member(store, given, "anna"), await member(store, given, "ben")
        for who, where, role in ((anna, app, Role.OWNER), (anna, other, Role.VIEWER), (ben, app, Role.EDITOR)):
            await store.write(
                lambda tx, who=who, where=where, role=role: tx.members.set_role(who.id, where.id, role, now=given.now)
            )
        assert await store.read(lambda tx: tx.members.roles(anna.id)) == {app.id: Role.OWNER, other.id: Role.VIEWER}
        found = await store.read(lambda tx: tx.members.of_app(app.id))
        assert [(one.member.name, one.role) for one in found] == [("anna", Role.OWNER), ("ben", Role.EDITOR)]
        assert await store.read(lambda tx: tx.members.owners(app.id)) == 1
        await store.write(lambda tx: tx.members.set_role(anna.id, app.id, Role.ADMIN, now=given.now))
        assert await store.read(lambda tx: tx.members.owners(app.id)) == 0
        assert await store.write(lambda tx: tx.members.leave(anna.id, other.id))
        assert not await store.write(lambda tx: tx.members.leave(anna.id, other.id))

    async def test_who_is_disabled_counts_as_no_super_admin(self, store: Store, given: Given) -> None:
        anna = await member(store, given, "anna", public_id="mem_9")
        await store.write(lambda tx: tx.members.set_super_admin(anna.id, True))
        assert await store.read(lambda tx: tx.members.super_admins()) == 1
        await store.write(lambda tx: tx.members.set_disabled(anna.id, given.now))
        assert await store.read(lambda tx: tx.members.super_admins()) == 0

    async def test_only_one_at_a_time_decides_who_is_the_last(self, store: Store, given: Given) -> None:
        people = [await member(store, given, f"p{n}") for n in range(4)]
        for one in people:
            await store.write(lambda tx, one=one: tx.members.set_super_admin(one.id, True))

        def step_down(one: Member):  # type: ignore[no-untyped-def]
            def work(tx: Transaction) -> bool:
                tx.members.hold()
                if tx.members.super_admins() == 1:
                    return False
                tx.members.set_super_admin(one.id, False)
                return True

            return work

        done = await asyncio.gather(*(store.write(step_down(one)) for one in people))
        assert sorted(done) == [False, True, True, True]
        assert await store.read(lambda tx: tx.members.super_admins()) == 1

    async def test_an_invitation_works_once_and_in_time(self, store: Store, given: Given) -> None:
        app = await given.app()

        def invite(tx: Transaction, token: bytes, email: str, end: datetime) -> None:
            tx.members.invite(
                public_id=f"inv_{token.hex()}",
                app_id=app.id,
                email=email,
                role=Role.EDITOR,
                token_hash=token,
                invited_by="Anna",
                inviter_id="mem_anna",
                now=given.now,
                expires_at=end,
            )

        end = given.later(60)
        await store.write(lambda tx: invite(tx, b"0", "ben@example.com", end))
        await store.write(lambda tx: invite(tx, b"1", "BEN@example.com", end))
        await store.write(lambda tx: invite(tx, b"2", "eve@example.com", end))
        assert await store.write(lambda tx: tx.members.spend_invitation(b"0", now=given.now)) is None
        assert len(await store.read(lambda tx: tx.members.invitations(app.id, now=given.now))) == 2
        assert await store.read(lambda tx: tx.members.invitation(b"1", now=end)) is None
        spent = await asyncio.gather(
            *(store.write(lambda tx: tx.members.spend_invitation(b"1", now=given.now)) for _ in range(5))
        )
        assert [one.email for one in spent if one] == ["ben@example.com"]
        assert await store.write(lambda tx: tx.members.withdraw(app.id, "inv_32")) is not None
        assert await store.write(lambda tx: tx.members.withdraw(app.id, "inv_32")) is None

    async def test_a_reset_link_works_once_and_ends_the_one_before(self, store: Store, given: Given) -> None:
        anna = await member(store, given, "anna")
        for token in (b"1", b"2"):
            await store.write(
                lambda tx, token=token: tx.members.add_reset(
                    anna.id, token_hash=token, maker_id=None, expires_at=given.later(60)
                )
            )
        assert await store.write(lambda tx: tx.members.spend_reset(b"1", now=given.now)) is None
        assert await store.write(lambda tx: tx.members.spend_reset(b"2", now=given.now)) == anna.id
        assert await store.write(lambda tx: tx.members.spend_reset(b"2", now=given.now)) is None


class TestSessions:
    async def begin(self, store: Store, given: Given, who: Member, token: bytes = b"token", **changes: Any) -> None:
        values: dict[str, Any] = {"stage": Stage.OPEN, "device": "Firefox on Linux", "address": "203.0.113.7"}
        await store.write(
            lambda tx: tx.sessions.add(
                public_id=f"ses_{token.hex()}",
                token_hash=token,
                member_id=who.id,
                now=given.now,
                expires_at=given.later(900),
                **(values | changes),
            )
        )

    async def find(self, store: Store, given: Given, after: float, *, idle: float = 60) -> Any:
        return await store.read(
            lambda tx: tx.sessions.find(b"token", now=given.later(after), seen_since=given.later(after - idle))
        )

    async def test_hold_until_they_are_idle_or_at_their_end(self, store: Store, given: Given) -> None:
        app, anna = await given.app(), await member(store, given, "anna")
        await store.write(lambda tx: tx.members.set_role(anna.id, app.id, Role.ADMIN, now=given.now))
        await self.begin(store, given, anna)
        found = await self.find(store, given, 59)
        assert (found.member, found.roles) == (anna, {app.id: Role.ADMIN})
        assert await self.find(store, given, 60) is None
        for after in range(50, 900, 50):
            found = await self.find(store, given, after)
            await store.write(
                lambda tx, found=found, after=after: tx.sessions.touch(
                    found.session.id, address="203.0.113.8", now=given.later(after)
                )
            )
        assert (await self.find(store, given, 899)).member == replace(anna, last_seen_at=given.later(850))
        assert (await self.find(store, given, 899)).session.address == "203.0.113.8"
        assert await self.find(store, given, 900) is None
        ended = given.later(900)
        assert await store.write(lambda tx: tx.sessions.purge(now=ended, seen_since=given.now)) == 1

    async def test_end_one_by_one_and_all_at_once(self, store: Store, given: Given) -> None:
        anna, ben = await member(store, given, "anna"), await member(store, given, "ben")
        for token, who in ((b"1", anna), (b"2", anna), (b"3", anna), (b"4", ben)):
            await self.begin(store, given, who, token)
        await self.begin(store, given, anna, b"half", stage=Stage.SECOND_FACTOR)
        mine = await store.read(lambda tx: tx.sessions.of_member(anna.id, now=given.now, seen_since=given.later(-1)))
        assert len(mine) == 3
        assert not await store.write(lambda tx: tx.sessions.end_one(anna.id, "ses_34"))
        assert await store.write(lambda tx: tx.sessions.end_one(anna.id, "ses_31"))
        assert await store.write(lambda tx: tx.sessions.end_all(anna.id, but=mine[0].id)) in (1, 2)
        assert (await store.write(lambda tx: tx.sessions.end(b"4"))).member_id == ben.id  # type: ignore[union-attr]
        assert await store.write(lambda tx: tx.sessions.end(b"4")) is None

    async def test_of_a_disabled_member_are_none(self, store: Store, given: Given) -> None:
        anna = await member(store, given, "anna")
        await self.begin(store, given, anna)
        await store.write(lambda tx: tx.members.set_disabled(anna.id, given.now))
        assert await self.find(store, given, 1) is None

    async def test_an_address_is_known_from_open_sessions_alone(self, store: Store, given: Given) -> None:
        anna = await member(store, given, "anna")
        await self.begin(store, given, anna, address="203.0.113.9", stage=Stage.SECOND_FACTOR)
        assert not await store.read(lambda tx: tx.sessions.known_address(anna.id, "203.0.113.9"))
        await self.begin(store, given, anna, b"2")
        assert await store.read(lambda tx: tx.sessions.known_address(anna.id, "203.0.113.7"))


def broken_at(entries: list[Entry]) -> int | None:
    """Find the first entry that does not follow from the one before it."""
    previous = BEGINNING
    for n, entry in enumerate(entries, start=1):
        if entry.n != n or entry.previous != previous or entry.hash != hash_of(entry):
            return n
        previous = entry.hash
    return None


class TestAudit:
    def write(self, tx: Transaction, given: Given, app_id: int | None, number: int = 0) -> Entry:
        detail = {"n": number, "was": None, "names": ["Zoë", "x"], "deep": {"b": True, "a": -1}}
        subject = Subject("key", f"key_{number}", "Shop")
        return tx.audit.add(ANNA, Action.KEY_CREATED, app_id=app_id, subject=subject, detail=detail, now=given.now)

    async def test_an_entry_comes_back_as_it_was_written(self, store: Store, given: Given) -> None:
        app = await given.app()
        entry = await store.write(lambda tx: self.write(tx, given, app.id, 7))
        assert (entry.app_id, entry.n, entry.previous) == (app.id, 1, BEGINNING)
        assert entry.actor == ANNA
        assert entry.subject == Subject("key", "key_7", "Shop")
        (found,) = await store.read(lambda tx: tx.audit.page(app_id=app.id, limit=10))
        assert found == entry
        assert hash_of(found) == entry.hash

    async def test_writers_at_the_same_time_make_one_chain_each_app(self, store: Store, given: Given) -> None:
        app, other = await given.app(), await given.app()
        chains: list[int | None] = [app.id, other.id, None]
        await asyncio.gather(
            *(
                store.write(lambda tx, chain=chain, n=n: self.write(tx, given, chain, n))
                for n in range(25)
                for chain in chains
            )
        )
        assert await store.read(lambda tx: tx.audit.chains()) == [None, app.id, other.id]
        for chain in chains:
            entries = await store.read(lambda tx, chain=chain: list(tx.audit.walk(chain)))
            assert len(entries) == 25
            assert {entry.detail["n"] for entry in entries} == set(range(25))
            assert broken_at(entries) is None

    async def test_is_stored_if_and_only_if_the_change_is(self, store: Store, given: Given) -> None:
        def work(tx: Transaction) -> None:
            self.write(tx, given, None)
            raise CatalogueError(ErrorCode.NOT_FOUND, "no")

        with pytest.raises(CatalogueError):
            await store.write(work)
        assert await store.read(lambda tx: tx.audit.page(app_id=None, limit=10)) == []
        await store.write(lambda tx: self.write(tx, given, None))
        assert broken_at(await store.read(lambda tx: list(tx.audit.walk(None)))) is None

    async def test_is_filtered_by_who_what_and_when(self, store: Store, given: Given) -> None:
        app = await given.app()
        ben = Actor(ActorKind.KEY, "key_2", "CI")
        plan = ((ANNA, Action.KEY_CREATED, app.id), (ben, Action.KEY_REVOKED, app.id), (ben, Action.SIGNED_IN, None))
        for seconds, (who, action, chain) in enumerate(plan):
            await store.write(
                lambda tx, who=who, action=action, chain=chain, seconds=seconds: tx.audit.add(
                    who, action, app_id=chain, subject=Subject("x"), now=given.later(seconds)
                )
            )

        async def actions(**wish: Any) -> list[str]:
            wish = {"app_id": None, "limit": 10} | wish
            return [entry.action for entry in await store.read(lambda tx: tx.audit.page(**wish))]

        everything = ["session.signed_in", "key.revoked", "key.created"]
        assert await actions() == everything
        assert await actions(app_id=app.id) == everything[1:]
        assert await actions(instance=True) == everything[:1]
        assert await actions(actor="key_2") == everything[:2]
        assert await actions(action="key") == everything[1:]
        assert await actions(action="key.created") == everything[2:]
        assert await actions(since=given.later(1)) == everything[:2]
        assert await actions(until=given.later(1)) == everything[2:]
        (last,) = await store.read(lambda tx: tx.audit.page(app_id=None, limit=1))
        assert await actions(after=last.id) == everything[1:]

    async def test_an_end_user_has_a_name_that_tells_nothing(self, store: Store, given: Given) -> None:
        names = await store.read(
            lambda tx: [tx.audit.pseudonym(1, "u-42"), tx.audit.pseudonym(1, "u-42"), tx.audit.pseudonym(2, "u-42")]
        )
        assert names[0] == names[1] != names[2]
        assert "u-42" not in names[0]
