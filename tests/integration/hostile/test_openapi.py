"""The whole API against its own document: what fits it, what does not, with every kind of key and with none."""

from __future__ import annotations

import copy
import os
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks
from tests.integration.hostile.conftest import MEMBER, Running
from tests.integration.hostile.known import known

from tidings.domain.errors import CATALOGUE, ErrorCode

TIMES = int(os.environ.get("TIDINGS_HOSTILE_TIMES", "1"))
"""How many times as many requests as in CI."""

EXAMPLES = {scope: number * TIMES for scope, number in {"admin": 10, "send": 3, "read": 3, "": 3, MEMBER: 10}.items()}
"""Requests for each operation and each kind of data, by who asks; some eight thousand in all."""

OPENED = {
    "GET /api/v1/segments/{segment_id}", "GET /api/v1/topics/{topic}/followers", "GET /api/v1/webhooks/{webhook_id}",
    "GET /api/v1/templates/{template_id}",
    "GET /api/v1/triggers/{trigger_id}", "GET /api/v1/events/{event_id}", "GET /api/v1/stats",
    "GET /api/v1/notifications/{notification_id}/deliveries", "GET /api/v1/images/{image_id}",
    "GET /v1/{app}/push/vapid-key", "GET /v1/{app}/push/feed", "GET /v1/{app}/push/topics",
    "GET /v1/{app}/push/preferences",
}  # fmt: skip
"""Of each kind of thing at least one that is there has to be found, or the ids below lead nowhere."""

OPENED_TO_MEMBERS = {
    "GET /api/v1/me", "PATCH /api/v1/me", "POST /api/v1/me/totp", "GET /api/v1/me/sessions", "DELETE /api/v1/session",
    "GET /api/v1/members", "PATCH /api/v1/members/{member_id}", "POST /api/v1/members/{member_id}/reset-link",
    "GET /api/v1/users/{external_id}/export", "GET /api/v1/subscriptions/export", "GET /api/v1/audit/export",
}  # fmt: skip
"""What no key of the above opens: one's own account, and what carries people's data or lets people in."""

HARMLESS: dict[str, dict[str, list[Any]]] = {
    "AppPatch": {"web_push_enabled": [True], "require_signed_identity": [False]},
}
"""What else would turn off, for the rest of the run, what the others are to reach."""

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
PROBLEM = "application/problem+json"
NO_HTTP = "Invalid HTTP request received."
"""What uvicorn says to a request that is none; no route of ours ever sees it."""

# The server runs in a thread of this process and draws too; hypothesis takes that for a strategy that does.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


@pytest.fixture(scope="module")
def document(running: Running) -> dict[str, Any]:
    """The instance's document, with ids of what is there as what an id may be: a made-up one only ever gives 404."""
    there = known(running)
    found = copy.deepcopy(running.document)
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            values = there.of(method, path)
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in values and parameter["in"] in ("path", "query", "header"):
                    parameter["schema"] = {"type": "string", "enum": values[parameter["name"]]}
                # There are two Apps, so that without it there is one answer alone.
                parameter["required"] = parameter.get("required", False) or parameter["name"] == "app"
                if path.endswith("/progress") and parameter["name"] == "notification_id":
                    # A stream of the others does not end.
                    parameter["schema"]["enum"] = there.spare["notification_id"]
    shapes = found["components"]["schemas"]
    shapes["PushSubscription"]["properties"]["endpoint"]["enum"] = [there.subscription["endpoint"]]
    for name, value in there.subscription["keys"].items():
        shapes["PushKeys"]["properties"][name]["enum"] = [value]
    _say_what_is_harmless(shapes)
    for name, value in there.device.items():
        for shape in ("DeviceTagsBody", "DeviceEventBody", "UnsubscribeBody"):
            assert name in shapes[shape]["properties"]
            shapes[shape]["properties"][name] = {"type": "string", "enum": [value]}
    return found


def _say_what_is_harmless(shapes: dict[str, Any]) -> None:
    for shape, values in HARMLESS.items():
        for name, worth in values.items():
            assert name in shapes[shape]["properties"], (shape, name)
            shapes[shape]["properties"][name] = {"enum": worth}


def check_documented(case: Any, answer: Any) -> None:
    """Hold an answer to more than the document's `default`: each success is listed, each fault in the catalogue."""
    documented = case.operation.definition.raw["responses"]
    if answer.status_code < 400:
        assert str(answer.status_code) in documented, f"{answer.status_code} is not in the document"
        return
    assert answer.headers["content-type"] == [PROBLEM], answer.headers["content-type"]
    body = answer.json()
    assert CATALOGUE[ErrorCode(body["code"])].status == body["status"] == answer.status_code


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("scope", list(EXAMPLES), ids=lambda scope: scope or "stranger")
def test_every_answer_is_as_documented(
    running: Running, document: dict[str, Any], scope: str, mode: GenerationMode, subtests: pytest.Subtests
) -> None:
    load_all_checks()
    statuses: set[int] = set()
    opened: set[str] = set()
    tried: set[str] = set()
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        with subtests.test(operation=operation.label):

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=EXAMPLES[scope],
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def answers(case: Any) -> None:
                if scope == MEMBER or (scope == "" and mode is GenerationMode.POSITIVE):
                    case.headers.pop("Authorization", None)  # made up by the library, where none is given
                answer = case.call(base_url=running.url, headers=running.headers(scope), timeout=60)
                if answer.status_code == 400 and answer.text == NO_HTTP:
                    sent = [repr(value) for value in answer.request.headers.values()]
                    assert re.search(r"\\x0[0bc]", "".join(sent)), sent
                    return
                statuses.add(answer.status_code)
                if answer.status_code < 300:
                    opened.add(case.operation.label)
                case.validate_response(answer, checks=CHECKS)
                check_documented(case, answer)

            tried.add(operation.label)
            try:
                answers()
            except Unsatisfiable:  # there is nothing about it that could be wrong
                assert mode is GenerationMode.NEGATIVE
                assert not operation.body
    assert tried == {f"{method.upper()} {path}" for path, one in document["paths"].items() for method in one}
    assert statuses & ({200, 201} if mode is GenerationMode.POSITIVE else {400, 422})
    wanted = {"admin": OPENED, MEMBER: OPENED | OPENED_TO_MEMBERS}.get(scope, set())
    if mode is GenerationMode.POSITIVE:
        assert opened >= wanted, f"only refusals were seen of {wanted - opened}"
