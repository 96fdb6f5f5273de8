"""One error shape on every address: application/problem+json (RFC 9457) out of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from tidings.domain.errors import CATALOGUE, CatalogueError, ErrorCode, FieldFault
from tidings.lib.log import cut
from tidings.storage import OutcomeUnknown, StoreUnavailable
from tidings.web.nearest import meant
from tidings.web.security import defaults_of

MEDIA_TYPE = "application/problem+json"
BUSY_SECONDS = 2
"""What `Retry-After` says while the database cannot take a write."""

log = structlog.get_logger()

_BY_STATUS = {
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    408: ErrorCode.BODY_TOO_SLOW,
    413: ErrorCode.BODY_TOO_LARGE,
    415: ErrorCode.CONTENT_TYPE_UNSUPPORTED,
}
_JSON_FAULTS = frozenset({"json_invalid"})
MOST_GUESSED = 5
"""Of how many wrong fields it is said what was meant."""

# Said of a body that was not parsed because its Content-Type is not JSON.
_WHOLE_BODY = ("body",)


def problem(request: Request, error: CatalogueError, *, headers: Mapping[str, str] | None = None) -> Response:
    """Give an error as problem+json with a link to its place in the reference."""
    return problem_of(request.app.state.docs_url, error, headers=headers)


def problem_of(
    docs_url: str,
    error: CatalogueError,
    *,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, str] | None = None,
) -> Response:
    """Give an error as problem+json; `docs_url` is where the catalogue is shown."""
    body = {**problem_body(docs_url, error), **(extra or {})}
    told = dict(headers or {})
    if error.retry_after is not None:
        told.setdefault("Retry-After", str(error.retry_after))
    return JSONResponse(body, status_code=error.entry.status, headers=told, media_type=MEDIA_TYPE)


def problem_body(docs_url: str, error: CatalogueError) -> dict[str, Any]:
    """Give an error as the fields of a problem."""
    return {
        "type": f"{docs_url}#{error.code}",
        "code": error.code.value,
        "title": error.entry.title,
        "status": error.entry.status,
        "detail": error.detail,
        "mend": error.entry.mend,
        "errors": [{"field": fault.field, "message": fault.message} for fault in error.faults],
    }


def install(app: FastAPI) -> None:
    """Answer everything that can be raised under `app` in the one shape."""
    app.add_exception_handler(CatalogueError, _catalogue)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(StoreUnavailable, _busy)
    app.add_exception_handler(Exception, _unexpected)


async def _catalogue(request: Request, error: Exception) -> Response:
    assert isinstance(error, CatalogueError)
    headers = {"WWW-Authenticate": "Bearer"} if error.code is ErrorCode.UNAUTHORIZED else None
    return problem(request, error, headers=headers)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    body = getattr(request.scope.get("route"), "body_field", None)
    shape = body.field_info.annotation if body is not None else None
    kind = request.headers.get("content-type", "")
    return problem(request, invalid_from(error.errors(), content_type=kind, shape=shape))


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _BY_STATUS.get(error.status_code, ErrorCode.INVALID_REQUEST)
    if error.status_code == 400:
        code = ErrorCode.INVALID_JSON
    detail = f"{request.method} {cut(request.scope['path'])}" if code in _BY_STATUS.values() else ""
    details = {
        ErrorCode.NOT_FOUND: f"There is nothing at {detail}.",
        ErrorCode.METHOD_NOT_ALLOWED: f"{detail} is not possible.",
    }
    headers = dict(error.headers or {})
    if code is ErrorCode.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return problem(request, CatalogueError(code, details.get(code, "")), headers=headers)


def _methods(request: Request) -> list[str]:
    """List the methods of an address; the framework's own answer names those of its first route alone."""
    routes = (one for one in iter_route_contexts(request.app.routes) if one.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in routes for method in route.methods or ()})


async def _busy(request: Request, error: Exception) -> Response:
    log.warning("store_unavailable", reason=cut(str(error)))
    if isinstance(error, OutcomeUnknown):
        fault = CatalogueError(ErrorCode.OUTCOME_UNKNOWN, "The database went away while it was storing the request.")
    else:
        fault = CatalogueError(ErrorCode.SERVICE_BUSY)
    return problem(request, fault, headers={"Retry-After": str(BUSY_SECONDS)})


async def _unexpected(request: Request, error: Exception) -> Response:
    # The server logs the traceback itself; this line ties it to what the caller saw.
    request_id = uuid4().hex
    log.error("request_failed", request_id=request_id, method=request.method, kind=type(error).__name__)
    fault = CatalogueError(ErrorCode.INTERNAL_ERROR, f"The server's log has more under request_id {request_id}.")
    # The framework makes this answer outside every middleware.
    headers = {**defaults_of(request.app.state.container.settings.base_url), "Cache-Control": "no-store"}
    return problem_of(request.app.state.docs_url, fault, headers=headers, extra={"request_id": request_id})


def invalid_from(faults: Sequence[Mapping[str, Any]], *, content_type: str, shape: Any = None) -> CatalogueError:
    """Turn what the framework found wrong with a request into one catalogue error with every field named."""
    kinds = {str(fault["type"]) for fault in faults}
    if kinds & _JSON_FAULTS:
        reason, place = faults[0].get("ctx", {}).get("error", ""), faults[0]["loc"][-1]
        at = f" at character {place + 1}" if isinstance(place, int) else ""
        return CatalogueError(ErrorCode.INVALID_JSON, f"The body is not JSON: {reason}{at}." if reason else "")
    if any(tuple(fault["loc"]) == _WHOLE_BODY and fault["type"] != "value_error" for fault in faults):
        if "missing" in kinds:
            return CatalogueError(ErrorCode.INVALID_JSON, "The request has no body; this address takes a JSON object.")
        if not content_type.partition(";")[0].strip().endswith("json"):
            return CatalogueError(ErrorCode.CONTENT_TYPE_UNSUPPORTED)
        return CatalogueError(ErrorCode.INVALID_JSON, "The body must be one JSON object.")
    # To compare names costs time, and a stranger may send a hundred thousand of them.
    found = tuple(
        FieldFault(_path(fault), _words(fault, shape if number < MOST_GUESSED else None))
        for number, fault in enumerate(faults)
    )
    first = found[0]
    more = f" ({len(found) - 1} more in `errors`)" if len(found) > 1 else ""
    return CatalogueError(ErrorCode.INVALID_REQUEST, f"{first.field}: {first.message}{more}", faults=found)


_WORDS = {
    "string_too_short": "This is too short; the least length is {min_length}.",
    "string_too_long": "Write at most {max_length} characters.",
    "too_short": "Give at least {min_length}.",
    "too_long": "Give at most {max_length}.",
    "greater_than_equal": "The least is {ge}.",
    "less_than_equal": "The most is {le}.",
    "enum": "Use one of {expected}.",
    "literal_error": "Use {expected}.",
    "timezone_aware": "Write the time with its zone, such as 2027-01-01T09:00:00Z.",
    "string_type": "This must be text.",
    "bool_type": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "datetime_type": "Write a time such as 2027-01-01T09:00:00Z.",
    "datetime_parsing": "Write a time such as 2027-01-01T09:00:00Z.",
    "datetime_from_date_parsing": "Write a time such as 2027-01-01T09:00:00Z.",
    "string_pattern_mismatch": "This does not match {pattern}.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "list_type": "This must be a list.",
}
"""The library's words speak of Python; these speak of JSON."""


def _path(fault: Mapping[str, Any]) -> str:
    place, *rest = fault["loc"]
    where = [str(part) for part in (rest if place in ("body", "query", "path", "header") else fault["loc"])]
    return cut(".".join(where)) or str(fault["loc"][0])


def _words(fault: Mapping[str, Any], shape: Any) -> str:
    kind, context = str(fault["type"]), fault.get("ctx", {})
    if kind == "extra_forbidden":
        near = meant(shape, fault["loc"][1:]) if fault["loc"][0] == "body" else None
        return f"There is no such field here; did you mean `{near}`?" if near else "There is no such field here."
    if kind == "missing":
        return "This field is required."
    if kind == "model_attributes_type" and fault["loc"][-1] == "to":
        return 'This must be an object that says who: {"all": true}, {"users": ["ann"]}, {"tags": {"plan": "pro"}}.'
    if kind == "value_error":
        return str(context.get("error", fault["msg"]))
    template = _WORDS.get(kind)
    return template.format(**context) if template else f"{fault['msg']}."


CATALOGUE_ORDER = tuple(sorted(CATALOGUE))
"""Every code, for pages that list them."""
