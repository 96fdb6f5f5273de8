"""Members of an instance in this process, and their browsers: the one place where tests sign in."""

from __future__ import annotations

from itertools import count

import httpx2

from tidings.domain.member import Member
from tidings.domain.permission import Role
from tidings.storage import Transaction
from tidings.wiring import Container

_numbers = count(1)


async def member_of(
    container: Container,
    roles: dict[int, Role] | None = None,
    *,
    super_admin: bool = False,
    password: str | None = None,
    email: str | None = None,
    email_confirmed: bool = True,
) -> Member:
    """Store a member with these roles by App id, and a password if one is given.

    Their address is confirmed, as of somebody whom a provider let in.
    """
    number = next(_numbers)
    phc = await container.accounts.passwords.hash(password) if password else None
    now = container.clock.now()

    def add(tx: Transaction) -> Member:
        member = tx.members.add(
            public_id=container.ids.new("mem"),
            name=f"Member {number}",
            email=email or f"member-{number}@example.com",
            password=phc,
            super_admin=super_admin,
            now=now,
            email_confirmed=email_confirmed,
        )
        for app_id, role in (roles or {}).items():
            tx.members.set_role(member.id, app_id, role, now=now)
        return member

    return await container.store.write(add)


async def sign_in(client: httpx2.AsyncClient, container: Container, member: Member) -> httpx2.AsyncClient:
    """Sign a browser in as that member, by a one-time link; gives the same client."""
    token = await container.access.new_setup_token(member=member)
    answer = await client.post("/api/v1/session", json={"setup_token": token})
    assert answer.status_code == 201, answer.text
    return client
