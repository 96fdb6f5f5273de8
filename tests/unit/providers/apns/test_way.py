"""Requests that are built together: what some share, nobody else gets."""

from __future__ import annotations

import json

from support.apple import TOKEN, key_credential
from tidings.domain.message import Rendered, Urgency
from tidings.domain.outcome import Refused
from tidings.domain.subscription import Address
from tidings.lib.exchange import Request
from tidings.providers import Draft, Envelope
from tidings.providers.apns.address import Place
from tidings.providers.apns.provider import Apns
from tidings.providers.apns.settings import Environment, Kind

NOW = 1_798_761_600.0
MESSAGE = Rendered("Tide", "High water", None, None, None, None, (), Urgency.NORMAL, None, None, {})


def test_each_of_many_gets_its_own_place_time_and_id_in_their_order() -> None:
    via, credential = Apns(), key_credential()
    draft = via.draft(MESSAGE)
    assert isinstance(draft, Draft)
    live, sandbox = (Place(one, Kind.APP).keys for one in (Environment.PRODUCTION, Environment.SANDBOX))
    calls = Place(Environment.PRODUCTION, Kind.VOIP).keys
    asked = [
        (Address(f"{number:064x}", keys), Envelope(f"{number:032x}", f"{number:016x}", ttl))
        for number, (keys, ttl) in enumerate([(live, 60), (sandbox, 60), (live, 90), (calls, 60), (live, 60)])
    ]
    together = via.requests(draft, asked, credential=credential, now=NOW)
    assert together == [via.request(draft, to, one, credential=credential, now=NOW) for to, one in asked]
    assert isinstance(together[3], Refused)
    for (to, envelope), request in zip(asked, together, strict=True):
        if not isinstance(request, Request):
            continue
        place = "sandbox." if to.keys == sandbox else ""
        assert request.url == f"https://api.{place}push.apple.com/3/device/{to.target}"
        headers = dict(line.split(": ", 1) for line in request.headers)
        assert headers["apns-collapse-id"] == headers["apns-id"].replace("-", "") == envelope.delivery_id
        assert headers["apns-expiration"] == str(int(NOW) + envelope.ttl)
        assert json.loads(request.body)["tidings"] == {"d": envelope.delivery_id, "t": envelope.receipt_token}


def test_only_the_last_lines_differ_between_two_devices() -> None:
    via, credential = Apns(), key_credential()
    draft = via.draft(MESSAGE)
    assert isinstance(draft, Draft)
    keys = Place(Environment.PRODUCTION, Kind.APP).keys
    both = [(Address(TOKEN, keys), Envelope(digit * 32, digit * 16, 60)) for digit in "ab"]
    one, other = via.requests(draft, both, credential=credential, now=NOW)
    assert isinstance(one, Request)
    assert isinstance(other, Request)
    assert one.own == other.own == 2
    assert one.headers[:-2] == other.headers[:-2]
    assert not set(one.headers[-2:]) & set(other.headers[-2:])
