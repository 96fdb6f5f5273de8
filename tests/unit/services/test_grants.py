"""One token for all who ask: fetched once, renewed early, renewed when refused, and kept while Google is away."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from support.service_account import account_file
from tidings.domain.app import Credential
from tidings.domain.outcome import FaultScope, Misconfigured, Unavailable
from tidings.lib.clock import FixedClock
from tidings.lib.exchange import Answer, FailureKind, NetworkFailure, Reply, Request
from tidings.providers.fcm.provider import Fcm
from tidings.services.grants import EARLY, FAULT_KEPT, Grants

MADE = Fcm().credential_from({"service_account": account_file()})
CREDENTIAL = Credential(7, 1, 1, "fcm", MADE.fingerprint, MADE.secret, MADE.settings)


class Google:
    """Answers claims with a new token each, or with what a test sets."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer: Answer | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        number = len(self.asked)
        await self.open.wait()
        granted = {"access_token": f"ya29.{number}", "expires_in": 3_599, "token_type": "Bearer"}
        return self.answer or Reply(200, {}, json.dumps(granted).encode())


def grants_of(google: Google) -> tuple[Grants, FixedClock]:
    clock = FixedClock(datetime(2026, 11, 26, tzinfo=UTC))
    return Grants(clock=clock, call=google), clock


async def token(grants: Grants, *, refused: bytes | None = None) -> bytes:
    opened = await grants.opened(CREDENTIAL, refused=refused)
    assert isinstance(opened, Credential), opened
    return opened.secret


async def test_a_hundred_who_ask_at_once_cost_one_request_and_get_the_token_in_place_of_the_key() -> None:
    google = Google()
    grants, _ = grants_of(google)
    google.open.clear()
    asking = [asyncio.create_task(token(grants)) for _ in range(100)]
    await asyncio.sleep(0)
    asking[0].cancel()
    google.open.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError), "who gives up takes it from nobody"
    assert set(found[1:]) == {b"ya29.1"}
    assert len(google.asked) == 1


async def test_it_is_renewed_five_minutes_early_and_the_old_one_serves_while_google_is_away() -> None:
    google = Google()
    grants, clock = grants_of(google)
    assert await token(grants) == b"ya29.1"
    clock.at += timedelta(seconds=3_599 - EARLY - 1)
    assert await token(grants) == b"ya29.1"
    clock.at += timedelta(seconds=2)
    google.answer = NetworkFailure(FailureKind.TIMEOUT)
    assert await token(grants) == b"ya29.1"
    clock.at += timedelta(seconds=FAULT_KEPT + 1)
    google.answer = None
    assert await token(grants) == b"ya29.3"


async def test_one_that_was_refused_is_renewed_once_for_all_who_had_it() -> None:
    google = Google()
    grants, _ = grants_of(google)
    first = await token(grants)
    renewed = await asyncio.gather(*(token(grants, refused=first) for _ in range(20)))
    assert set(renewed) == {b"ya29.2"}
    assert await token(grants, refused=first) == b"ya29.2", "who comes late gets what is there"
    assert len(google.asked) == 2


async def test_a_failure_is_the_answer_for_some_seconds_and_then_asked_anew() -> None:
    google = Google()
    grants, clock = grants_of(google)
    google.answer = Reply(400, {}, b'{"error":"invalid_grant","error_description":"Invalid JWT Signature."}')
    for _ in range(5):
        refused = await grants.opened(CREDENTIAL)
        assert refused == Misconfigured("service_account_key_revoked", FaultScope.CREDENTIAL)
    assert len(google.asked) == 1
    clock.at += timedelta(seconds=FAULT_KEPT + 1)
    google.answer = Reply(503, {"retry-after": "30"}, b"")
    assert await grants.opened(CREDENTIAL) == Unavailable(30.0, "access_token_unavailable")


async def test_another_key_of_the_same_row_gets_a_token_of_its_own() -> None:
    google = Google()
    grants, _ = grants_of(google)
    await token(grants)
    other = Fcm().credential_from({"service_account": account_file(which=1)})
    opened = await grants.opened(Credential(7, 1, 1, "fcm", other.fingerprint, other.secret, other.settings))
    assert isinstance(opened, Credential)
    assert opened.secret == b"ya29.2"


async def test_a_provider_that_needs_none_costs_nothing() -> None:
    google = Google()
    grants, _ = grants_of(google)
    credential = Credential(1, 1, 1, "webpush", "key", b"secret")
    assert await grants.opened(credential) is credential
    assert google.asked == []


async def test_a_test_of_the_connection_takes_the_token_from_nobody_while_google_is_away() -> None:
    google = Google()
    grants, _ = grants_of(google)
    assert await token(grants) == b"ya29.1"
    google.answer = Reply(503, {}, b"")
    assert await grants.opened(CREDENTIAL, fresh=True) == Unavailable(None, "access_token_unavailable")
    assert await token(grants) == b"ya29.1", "what is being sent goes on with the token that still holds"
    google.answer = None
    fresh = await grants.opened(CREDENTIAL, fresh=True)
    assert isinstance(fresh, Credential)
    assert fresh.secret == await token(grants) == b"ya29.3"
