"""The OpenAPI document: FastAPI's for the REST API, and the public routes out of their msgspec bodies."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tidings.web.api.events import EventBody
from tidings.web.api.shapes import Problem
from tidings.web.public.bodies import SHAPES
from tidings.web.public.documented import OPERATIONS, PERSONAL
from tidings.web.public.push import STEPS
from tidings.web.readable import readable

_REF = "#/components/schemas/{name}"
_PROBLEM = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
_TAG = "Public API"

DESCRIPTION = """Send notifications to browsers and devices, and keep the people and keys they belong to.

Send `Authorization: Bearer <key>` with a key of `tidings key create`. Lists are pages:
`{"data": [...], "next_cursor": ...}`; pass `next_cursor` back as `cursor`.
An error is `application/problem+json` with a stable `code`; [every code](/docs/errors) says how to mend it."""


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the whole document; it is made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = readable(_with_words(_with_security(_with_public(_of_rest(app)))))
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the way FastAPI documents it


def _of_rest(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, openapi_version="3.1.0"
    )
    # FastAPI knows of an answer what its fields are, and of the base of all errors less.
    document["components"]["schemas"].pop("Problem", None)
    for model in (Problem, EventBody):
        schema = model.model_json_schema(ref_template=_REF.replace("{name}", "{model}"))
        _add(document, {model.__name__: schema, **schema.pop("$defs", {})})
    return document


def _add(document: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Add schemas; one name for two shapes would give one of them the other's fields."""
    known = document["components"]["schemas"]
    if taken := [name for name, one in schemas.items() if known.get(name, one) != one]:
        raise ValueError(f"Two schemas are called {', '.join(taken)}")
    known |= schemas


def _with_security(document: dict[str, Any]) -> dict[str, Any]:
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key: `tidings key create --name NAME`."}
    }
    for path, operations in document["paths"].items():
        if path.startswith("/api/") and not path.endswith("/session"):
            for operation in operations.values():
                operation["security"] = [{"key": []}]
    return document


def _with_words(document: dict[str, Any]) -> dict[str, Any]:
    # The framework's filler says nothing that the status does not say.
    answers = (a for path in document["paths"].values() for one in path.values() for a in one["responses"].values())
    for answer in answers:
        if answer.get("description") == "Successful Response":
            answer["description"] = "Done."
    return document


def _with_public(document: dict[str, Any]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components((*SHAPES, *PERSONAL), ref_template=_REF)
    _add(document, components)
    app = {"name": "app", "in": "path", "required": True, "schema": {"type": "string"}, "description": "Id of the App."}
    for path, operations in {**_PUBLIC, **OPERATIONS}.items():
        document["paths"][f"/v1/{{app}}/push{path}"] = {
            method: {**operation, "tags": [_TAG], "parameters": [app, *operation.get("parameters", ())]}
            for method, operation in operations.items()
        }
    return document


def _operation(
    name: str, summary: str, answers: dict[str, Any], *, description: str, body: str | None = None
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "description": description,
        "responses": {**answers, "default": {"description": "An error; `code` says which.", "content": _PROBLEM}},
    }
    if body:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    return operation


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}


_SCRIPT = {"200": {"description": "JavaScript", "content": {"text/javascript": {}}}}
_PUBLIC = {
    "/devices": {
        "post": _operation(
            "register_device",
            "Register or refresh an app's device",
            {
                "201": {"description": "The device is new.", "content": _json("SubscribeAnswer")},
                "200": {"description": "The device was known.", "content": _json("SubscribeAnswer")},
            },
            description="Called by an app at every start, and whenever its system gives it another token. With `id` "
            "and `secret` of its last registration it keeps its row when its token is another. Changing owner or tags "
            "of a known device needs its `secret` or a signed `user.token`.",
            body="DeviceBody",
        ),
        "delete": _operation(
            "unregister_device",
            "Turn an app's device off",
            {"204": {"description": "It is off."}},
            description="Needs the secret of the registration, and `id` or `token`.",
            body="LeaveBody",
        ),
    },
    "/subscribe": {
        "post": _operation(
            "subscribe",
            "Register or refresh a subscription",
            {
                "201": {"description": "The device is new.", "content": _json("SubscribeAnswer")},
                "200": {"description": "The device was known.", "content": _json("SubscribeAnswer")},
            },
            description="Called by the SDK on a click and on every visit. Changing owner, keys or tags of a "
            "known device needs its `secret` or a signed `user.token`; with `id` and `secret` it keeps its row when "
            "its endpoint is another. `/push/...` without the App's id serves the "
            "instance's only App, here and below.",
            body="SubscribeBody",
        ),
        "delete": _operation(
            "unsubscribe",
            "Turn a device off",
            {"204": {"description": "It is off."}},
            description="Needs the secret of the registration, and `endpoint` or `id`.",
            body="UnsubscribeBody",
        ),
    },
    "/vapid-key": {
        "get": _operation(
            "get_vapid_key",
            "Get the key to subscribe with",
            {"200": {"description": "The public key.", "content": _json("VapidKeyAnswer")}},
            description="The applicationServerKey, 87 characters of base64url without padding.",
        )
    },
    "/receipts": {
        "post": _operation(
            "report_receipt",
            "Report what a person did",
            {"202": {"description": "It is counted."}},
            description="Sent by the service worker; the same report twice counts once.",
            body="ReceiptBody",
        )
    },
    "/funnel/{step}": {
        "post": {
            **_operation(
                "report_step",
                "Count a step to a subscription",
                {"204": {"description": "It is counted."}},
                description="Sent by the SDK without a body, an id or a cookie: that somebody who may be asked came, "
                "saw the banner, was asked by the browser, and what they answered. A day's number of each is all that "
                "is kept, by browser.",
            ),
            "parameters": [{"name": "step", "in": "path", "required": True, "schema": {"enum": [*STEPS]}}],
        }
    },
    "/tags": {
        "put": _operation(
            "set_device_tags",
            "Set tags of a device",
            {"200": {"description": "What the device carries now.", "content": _json("TagsAnswer")}},
            description="Sets the tags that are named and takes away those that are null; the others stay.",
            body="DeviceTagsBody",
        )
    },
    "/events": {
        "post": _operation(
            "track_event",
            "Report an event of a device",
            {"202": {"description": "It is stored.", "content": _json("EventAnswer")}},
            description="Stores what happened on a page. The same `event` of the same device again is stored once.",
            body="DeviceEventBody",
        )
    },
    "/sdk.js": {"get": _operation("get_sdk", "Get the SDK", _SCRIPT, description="The script of the page.")},
    "/sdk.mjs": {
        "get": _operation("get_sdk_module", "Get the SDK as a module", _SCRIPT, description="For `import` in a page.")
    },
    "/service-worker.js": {
        "get": _operation(
            "get_service_worker", "Get the service worker", _SCRIPT, description="For `importScripts` or registration."
        )
    },
    "/service-worker.mjs": {
        "get": _operation(
            "get_service_worker_module",
            "Get the service worker as a module",
            _SCRIPT,
            description="For `import` in a worker that is registered with the type `module`.",
        )
    },
    "/banner.js": {
        "get": _operation("get_banner", "Get the banner", _SCRIPT, description="Imported by the SDK when it is shown.")
    },
    "/panels.js": {
        "get": _operation(
            "get_panels",
            "Get the bell and the switches",
            _SCRIPT,
            description="Imported by the SDK when used.",
        )
    },
    "/check.js": {
        "get": _operation(
            "get_check", "Get the conflict detector", _SCRIPT, description="Imported by the SDK when it is called."
        )
    },
}
