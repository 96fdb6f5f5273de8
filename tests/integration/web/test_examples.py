"""The bodies that the reference shows for copying: one for each operation, and none is refused for what it is."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from fastapi import FastAPI
from tests.integration.web.instance import client_of

from tidings.web.examples import EXAMPLES

WRONG = {"invalid_json", "invalid_request", "audience_invalid", "template_invalid", "filter_invalid"}
MORE = {"identity_invalid", "event_type_unknown", "subscription_endpoint_forbidden"}


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return found


def bodies(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Every operation that takes JSON alone: its method, its path, and what the document says of the body."""
    return {
        operation["operationId"]: (method, path, operation["requestBody"]["content"]["application/json"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if [*operation.get("requestBody", {}).get("content", {})] == ["application/json"]
    }


def test_each_operation_has_one(document: dict[str, Any]) -> None:
    assert set(EXAMPLES) == set(bodies(document))


def test_each_is_what_the_document_says(document: dict[str, Any]) -> None:
    for name, (_, _, media) in bodies(document).items():
        schema = {**media["schema"], "components": document["components"]}
        faults = [one.message for one in jsonschema_rs.Draft202012Validator(schema).iter_errors(media["example"])]
        assert not faults, f"{name}: {faults}"


async def test_the_instance_takes_each(
    api: httpx2.AsyncClient, app: FastAPI, document: dict[str, Any], vapid_key: str
) -> None:
    """What names something that is not there is told so; that is no fault of the body."""
    app_id = (await api.get("/api/v1/apps")).json()["data"][0]["id"]
    await api.put("/api/v1/event-types/conversation.escalated", json=EXAMPLES["put_event_type"])
    places = {
        "app": app_id,
        "app_id": app_id,
        "key": "conversation.escalated",
        "provider": "webpush",
        "provider_id": "google",
    }
    async with client_of(app) as browser:
        for name, (method, path, _) in bodies(document).items():
            where = re.sub(r"\{(\w+)\}", lambda found: places.get(found[1], f"{found[1]}-1"), path)
            caller = api if path.startswith("/api/") else browser
            answer = await caller.request(method, where, json=EXAMPLES[name])
            told = answer.json() if answer.content else {}
            code = told.get("code") if isinstance(told, dict) else None
            assert answer.status_code < 500 or name == "send_test", f"{name}: {answer.text}"
            assert code not in WRONG | MORE, f"{name}: {answer.text}"


def test_sending_comes_first(document: dict[str, Any]) -> None:
    assert next(iter(document["paths"])) == "/api/v1/notifications"
    assert document["tags"][0] == {"name": "Notifications"}


def test_of_two_shapes_each_has_its_own_name(document: dict[str, Any]) -> None:
    """A body of the REST API was once told with the fields of the public one, as both had one name."""
    told = {name: media["schema"] for name, (_, _, media) in bodies(document).items()}
    events = told["report_events"]["anyOf"][0]["$ref"].rsplit("/")[-1]
    tags = told["update_subscription"]["$ref"].rsplit("/")[-1]
    shapes = document["components"]["schemas"]
    assert {"type", "data", "users"} <= set(shapes[events]["properties"])
    assert set(shapes[tags]["properties"]) == {"tags"}
