"""Tokens that are refused: their messages go out once more, and what nobody knows after that is in doubt."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from support.service_account import account_file
from tidings.domain.app import Credential
from tidings.domain.campaign import InDoubtPolicy
from tidings.domain.outcome import GRANT_REFUSED, Accepted, FaultScope, Misconfigured, Outcome
from tidings.lib.clock import FixedClock
from tidings.lib.exchange import Answer, Reply, Request
from tidings.pipeline.deliver import Chunk, Parcel
from tidings.providers.fcm.provider import Fcm
from tidings.services.grants import Grants
from tidings.worker.granting import GrantedPool

MADE = Fcm().credential_from({"service_account": account_file()})
CREDENTIAL = Credential(7, 1, 1, "fcm", MADE.fingerprint, MADE.secret, MADE.settings)
REFUSED = Misconfigured(GRANT_REFUSED, FaultScope.ORIGIN)


class Senders:
    """A pool that says what a test wants said, and remembers with which tokens it was asked to send to whom."""

    def __init__(self, *answers: dict[int, Outcome]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[bytes, list[int]]] = []

    async def send(self, chunk: Chunk, *, policy: InDoubtPolicy, urgent: bool = False) -> dict[int, Outcome]:
        self.asked.append((chunk.credentials[7].secret, [one.subscription_id for one in chunk.parcels]))
        return self.answers.pop(0)

    def recall(self, unwanted: frozenset[int]) -> None:
        raise AssertionError("nobody recalls here")


def pool_of(senders: Senders) -> GrantedPool:
    made = 0

    async def google(request: Request) -> Answer:
        nonlocal made
        made += 1
        return Reply(200, {}, json.dumps({"access_token": f"ya29.{made}", "expires_in": 3_599}).encode())

    return GrantedPool(senders, Grants(clock=FixedClock(datetime(2026, 11, 26, tzinfo=UTC)), call=google))


def chunk_to(*people: int) -> Chunk:
    parcels = tuple(Parcel(one, 0, 7, "https://fcm.googleapis.com", "token", b"", "d", "r") for one in people)
    return Chunk(1, 2e9, (), {7: CREDENTIAL}, parcels, 1)


async def test_those_refused_for_their_token_go_out_once_more_and_no_others() -> None:
    senders = Senders({1: Accepted("a"), 2: REFUSED, 3: REFUSED}, {2: Accepted("b"), 3: REFUSED})
    outcomes = await pool_of(senders).send(chunk_to(1, 2, 3), policy=InDoubtPolicy.RESEND)
    assert senders.asked == [(b"ya29.1", [1, 2, 3]), (b"ya29.2", [2, 3])]
    assert outcomes == {1: Accepted("a"), 2: Accepted("b"), 3: REFUSED}


async def test_a_sender_that_dies_over_the_second_try_leaves_it_in_doubt() -> None:
    senders = Senders({1: Accepted("a"), 2: REFUSED, 3: REFUSED}, {3: Accepted("c")})
    outcomes = await pool_of(senders).send(chunk_to(1, 2, 3), policy=InDoubtPolicy.SKIP)
    assert outcomes == {1: Accepted("a"), 3: Accepted("c")}, "the second message to 2 may have been taken"
