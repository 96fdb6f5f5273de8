"""What can be wrong with any request."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.domain.errors.codes import ErrorCode, ErrorEntry

REQUESTS: Mapping[ErrorCode, ErrorEntry] = {
    ErrorCode.APP_NOT_FOUND: ErrorEntry(404, "There is no such App", "List the Apps with `tidings app list`."),
    ErrorCode.APP_REQUIRED: ErrorEntry(
        400, "This instance has several Apps", "Name the App: `/v1/{app_id}/push/...`, or `?app=` under `/api/v1`."
    ),
    ErrorCode.BODY_TOO_LARGE: ErrorEntry(413, "The body is too large", "Send less in one request."),
    ErrorCode.BODY_TOO_SLOW: ErrorEntry(
        408, "The body did not come in time", "Send it again over a connection that does not stand still."
    ),
    ErrorCode.CONTENT_TYPE_UNSUPPORTED: ErrorEntry(
        415, "The body must be JSON", "Send `Content-Type: application/json`."
    ),
    ErrorCode.HOST_NOT_ALLOWED: ErrorEntry(
        421,
        "This instance does not go by that name",
        "Set TIDINGS_PUBLIC_URL to the address that people use, or add the name to TIDINGS_ALLOWED_HOSTS.",
    ),
    ErrorCode.IDEMPOTENCY_KEY_INVALID: ErrorEntry(
        400, "The Idempotency-Key is not valid", "Send 1 to 128 printable characters."
    ),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: ErrorEntry(
        409, "The Idempotency-Key belongs to another request", "Use a new key for a new request."
    ),
    ErrorCode.INTERNAL_ERROR: ErrorEntry(
        500, "The server failed", "Try again; if it stays, look for `request_id` in the server's log and report it."
    ),
    ErrorCode.INVALID_CURSOR: ErrorEntry(
        400, "The cursor is not valid", "Take `next_cursor` from the page before, unchanged."
    ),
    ErrorCode.INVALID_JSON: ErrorEntry(400, "The body is not JSON", "Send one JSON object in UTF-8."),
    ErrorCode.INVALID_REQUEST: ErrorEntry(422, "A field is not valid", "See `errors` for the field and what it takes."),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorEntry(405, "This address does not take that method", "See `Allow`."),
    ErrorCode.NOT_FOUND: ErrorEntry(404, "There is nothing here", "Check the address and the id."),
    ErrorCode.ORIGIN_NOT_ALLOWED: ErrorEntry(
        403, "This site may not use the App", "Add it: `tidings app allow https://www.example.com`."
    ),
    ErrorCode.OUTCOME_UNKNOWN: ErrorEntry(
        503,
        "We do not know whether this was stored",
        "Repeat the request with the same Idempotency-Key; without one, look first whether it was.",
    ),
    ErrorCode.RATE_LIMITED: ErrorEntry(
        429, "Too many requests", "Wait as many seconds as `Retry-After` says, then go on."
    ),
    ErrorCode.SDK_NOT_BUILT: ErrorEntry(
        503, "The browser SDK is not built", "Run `make sdk` in the source folder; the published wheel has it built."
    ),
    ErrorCode.SERVICE_BUSY: ErrorEntry(503, "The server cannot store this now", "Try again; nothing was changed."),
}
