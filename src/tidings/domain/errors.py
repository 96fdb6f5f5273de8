"""The error catalogue: every fault of a caller has a stable code, a status, a title and a place in the docs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """Stable names; a code is never reused for something else."""

    APP_NOT_FOUND = "app_not_found"
    APP_REQUIRED = "app_required"
    AUDIENCE_CHANGED = "audience_changed"
    AUDIENCE_INVALID = "audience_invalid"
    BODY_TOO_LARGE = "body_too_large"
    CHANNEL_REFUSED = "channel_refused"
    CONTACT_INVALID = "contact_invalid"
    CONTENT_TYPE_UNSUPPORTED = "content_type_unsupported"
    CREDENTIALS_INVALID = "credentials_invalid"
    DEVICE_TOKEN_INVALID = "device_token_invalid"  # noqa: S105 - a code, not a secret
    DEVICE_UNKNOWN = "device_unknown"
    EMAIL_TAKEN = "email_taken"
    EVENTS_TOO_MANY = "events_too_many"
    EVENT_ID_REUSED = "event_id_reused"
    EVENT_INVALID = "event_invalid"
    EVENT_TOO_LARGE = "event_too_large"
    EVENT_TYPES_TOO_MANY = "event_types_too_many"
    EVENT_TYPE_INVALID = "event_type_invalid"
    EVENT_TYPE_IN_USE = "event_type_in_use"
    EVENT_TYPE_UNKNOWN = "event_type_unknown"
    FILTER_INVALID = "filter_invalid"
    FORBIDDEN = "forbidden"
    HOST_NOT_ALLOWED = "host_not_allowed"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDENTITY_INVALID = "identity_invalid"
    IDENTITY_REQUIRED = "identity_required"
    INTEGRATION_ACCOUNT_DIFFERS = "integration_account_differs"
    INTEGRATION_IN_USE = "integration_in_use"
    INTEGRATION_LABEL_TAKEN = "integration_label_taken"
    INTEGRATION_MISSING = "integration_missing"
    INTEGRATION_UNCLEAR = "integration_unclear"
    INTERNAL_ERROR = "internal_error"
    INVALID_CURSOR = "invalid_cursor"
    INVALID_JSON = "invalid_json"
    INVALID_REQUEST = "invalid_request"
    INVITATION_INVALID = "invitation_invalid"
    KEY_EXPIRED = "key_expired"
    LAST_OWNER = "last_owner"
    LAST_SUPER_ADMIN = "last_super_admin"
    LOCKED_OUT = "locked_out"
    MESSAGE_TOO_LARGE = "message_too_large"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOTIFICATION_EXPIRED = "notification_expired"
    NOTIFICATION_FINAL = "notification_final"
    NOT_FOUND = "not_found"
    NO_SUBSCRIPTION = "no_subscription"
    OIDC_FAILED = "oidc_failed"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    OUTCOME_UNKNOWN = "outcome_unknown"
    PASSKEY_REFUSED = "passkey_refused"
    PASSWORD_TOO_WEAK = "password_too_weak"  # noqa: S105 - a code, not a secret
    PREFERENCE_MANDATORY = "preference_mandatory"
    RATE_LIMITED = "rate_limited"
    REAUTHENTICATION_REQUIRED = "reauthentication_required"
    RECEIPT_INVALID = "receipt_invalid"
    RESET_LINK_INVALID = "reset_link_invalid"
    SDK_NOT_BUILT = "sdk_not_built"
    SECOND_FACTOR_WRONG = "second_factor_wrong"
    SERVICE_BUSY = "service_busy"
    SETUP_LINK_INVALID = "setup_link_invalid"
    SIGN_IN_REFUSED = "sign_in_refused"
    SUBSCRIPTION_AUTH_INVALID = "subscription_auth_invalid"
    SUBSCRIPTION_ENDPOINT_FORBIDDEN = "subscription_endpoint_forbidden"
    SUBSCRIPTION_ENDPOINT_INSECURE = "subscription_endpoint_insecure"
    SUBSCRIPTION_ENDPOINT_INVALID = "subscription_endpoint_invalid"
    SUBSCRIPTION_ENDPOINT_IP = "subscription_endpoint_ip"
    SUBSCRIPTION_ENDPOINT_PORT = "subscription_endpoint_port"
    SUBSCRIPTION_ENDPOINT_PRIVATE = "subscription_endpoint_private"
    SUBSCRIPTION_ENDPOINT_TOO_LONG = "subscription_endpoint_too_long"
    SUBSCRIPTION_ENDPOINT_USERINFO = "subscription_endpoint_userinfo"
    SUBSCRIPTION_KEY_INVALID = "subscription_key_invalid"
    SUBSCRIPTION_SECRET_REQUIRED = "subscription_secret_required"  # noqa: S105 - a code, not a secret
    TAGS_TOO_MANY = "tags_too_many"
    TAG_INVALID = "tag_invalid"
    TEMPLATES_TOO_MANY = "templates_too_many"
    TEMPLATE_INVALID = "template_invalid"
    TEMPLATE_NAME_TAKEN = "template_name_taken"
    TOO_MANY_HELD = "too_many_held"
    TRIGGERS_TOO_MANY = "triggers_too_many"
    TRIGGER_INVALID = "trigger_invalid"
    UNAUTHORIZED = "unauthorized"
    UNSUBSCRIBE_LINK_INVALID = "unsubscribe_link_invalid"
    VAPID_KEY_INVALID = "vapid_key_invalid"
    VAPID_KEY_MISMATCH = "vapid_key_mismatch"
    VAPID_KEY_MISSING = "vapid_key_missing"
    VAPID_KEY_UNKNOWN = "vapid_key_unknown"


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """What the catalogue says about one code: HTTP status, a title, and how to mend it."""

    status: int
    title: str
    mend: str


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One wrong field: its path (`actions.0.url`) and what is wrong with it."""

    field: str
    message: str


class CatalogueError(Exception):
    """The caller's fault, by code; `detail` says what is wrong with this very request.

    `retry_after` is in seconds, where trying again later helps.
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str = "",
        *,
        faults: tuple[FieldFault, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        entry = CATALOGUE[code]
        super().__init__(detail or entry.title)
        self.code = code
        self.entry = entry
        self.detail = detail or entry.title
        self.faults = faults
        self.retry_after = retry_after


CATALOGUE: dict[ErrorCode, ErrorEntry] = {
    ErrorCode.APP_NOT_FOUND: ErrorEntry(404, "There is no such App", "List the Apps with `tidings app list`."),
    ErrorCode.APP_REQUIRED: ErrorEntry(
        400, "This instance has several Apps", "Name the App: `/v1/{app_id}/push/...`, or `?app=` under `/api/v1`."
    ),
    ErrorCode.AUDIENCE_CHANGED: ErrorEntry(
        409,
        "The audience is not the one you counted",
        "Count it again, look at the number, and send again with that number as `expect_audience`.",
    ),
    ErrorCode.AUDIENCE_INVALID: ErrorEntry(
        422,
        "The audience is not valid",
        'Use one of {"all": true}, {"users": [...]}, {"subscriptions": [...]}, {"tags": {...}}.',
    ),
    ErrorCode.BODY_TOO_LARGE: ErrorEntry(413, "The body is too large", "Send less in one request."),
    ErrorCode.CHANNEL_REFUSED: ErrorEntry(
        502,
        "The push service refused what was asked of a channel",
        "What it said is in `detail`; mend that and ask again. Nothing was changed here.",
    ),
    ErrorCode.CONTENT_TYPE_UNSUPPORTED: ErrorEntry(
        415, "The body must be JSON", "Send `Content-Type: application/json`."
    ),
    ErrorCode.CONTACT_INVALID: ErrorEntry(
        422,
        "The contact address would be refused by Apple",
        "Use `mailto:` with a public address, or an `https:` URL of a public site.",
    ),
    ErrorCode.CREDENTIALS_INVALID: ErrorEntry(
        422, "The credentials are not valid", "See `errors` for the field, what is wrong with it and what it takes."
    ),
    ErrorCode.DEVICE_TOKEN_INVALID: ErrorEntry(
        422, "This is not a device's token", "Send the token exactly as the app got it from its system."
    ),
    ErrorCode.DEVICE_UNKNOWN: ErrorEntry(
        403,
        "No device is registered with this id and secret",
        "Register this device again: `Tidings.subscribe()`, then try once more.",
    ),
    ErrorCode.EMAIL_TAKEN: ErrorEntry(
        409, "Somebody has this e-mail address already", "Use another address, or sign in with this one."
    ),
    ErrorCode.EVENTS_TOO_MANY: ErrorEntry(
        429,
        "This device has reported 1 000 events within a day",
        "Report what you want to act on, not every scroll; go on tomorrow.",
    ),
    ErrorCode.EVENT_ID_REUSED: ErrorEntry(
        409,
        "The id belongs to another event",
        "Repeat an event unchanged, or give another one an id of its own.",
    ),
    ErrorCode.EVENT_INVALID: ErrorEntry(
        422,
        "The event does not fit its type",
        "See `errors` for the field; the type's `variables` say what it takes.",
    ),
    ErrorCode.EVENT_TOO_LARGE: ErrorEntry(
        422, "The event's data are too large", "Leave out what you do not need; `detail` says how much fits."
    ),
    ErrorCode.EVENT_TYPES_TOO_MANY: ErrorEntry(
        409, "The App has 1 000 event types", "Delete one that is not used any more, or put what varies into its data."
    ),
    ErrorCode.EVENT_TYPE_INVALID: ErrorEntry(
        422,
        "The event type is not valid",
        "See `errors` for the place in `variables` or `examples` and what is wrong with it.",
    ),
    ErrorCode.EVENT_TYPE_IN_USE: ErrorEntry(
        409, "Triggers need the event type as it is", "Change or delete the triggers in `detail` first."
    ),
    ErrorCode.EVENT_TYPE_UNKNOWN: ErrorEntry(
        422, "The event type is not declared", "Declare it first: PUT /api/v1/event-types/{key}."
    ),
    ErrorCode.FILTER_INVALID: ErrorEntry(
        422,
        "The conditions are not valid",
        'See `errors` for the place and what belongs there. Conditions read like `user.plan == "pro"`.',
    ),
    ErrorCode.FORBIDDEN: ErrorEntry(
        403, "You may not do that", "Ask for a role, or use a key with a scope, that has the permission in `detail`."
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
    ErrorCode.IDENTITY_INVALID: ErrorEntry(
        403,
        "The signed identity is not valid",
        "Sign user id and expiry with the App's identity secret on your server.",
    ),
    ErrorCode.IDENTITY_REQUIRED: ErrorEntry(
        401,
        "This is about a person, and nobody has vouched for who that is",
        "Send `Tidings-User` and `Tidings-Token`: the user's id, and that id signed by your server.",
    ),
    ErrorCode.INTEGRATION_ACCOUNT_DIFFERS: ErrorEntry(
        409,
        "The credentials are of another account",
        "Upload some of the same account, add another integration for these, or say `force` to lose the devices.",
    ),
    ErrorCode.INTEGRATION_IN_USE: ErrorEntry(
        409, "Devices are reached through this integration", "Say `?force=true` to take it away with its devices."
    ),
    ErrorCode.INTEGRATION_LABEL_TAKEN: ErrorEntry(
        409, "The label is taken", "Choose a label that no other integration of this provider has."
    ),
    ErrorCode.INTEGRATION_MISSING: ErrorEntry(
        409, "No integration is there for this device", "Add one with POST /api/v1/integrations; then register again."
    ),
    ErrorCode.INTEGRATION_UNCLEAR: ErrorEntry(
        422, "Several integrations fit this device", "Send `integration`, the id of the one it belongs to."
    ),
    ErrorCode.INTERNAL_ERROR: ErrorEntry(
        500, "The server failed", "Try again; if it stays, look for `request_id` in the server's log and report it."
    ),
    ErrorCode.INVALID_CURSOR: ErrorEntry(
        400, "The cursor is not valid", "Take `next_cursor` from the page before, unchanged."
    ),
    ErrorCode.INVALID_JSON: ErrorEntry(400, "The body is not JSON", "Send one JSON object in UTF-8."),
    ErrorCode.INVALID_REQUEST: ErrorEntry(422, "A field is not valid", "See `errors` for the field and what it takes."),
    ErrorCode.INVITATION_INVALID: ErrorEntry(
        403, "The invitation is used up, withdrawn or has expired", "Ask whoever invited you for a new one."
    ),
    ErrorCode.KEY_EXPIRED: ErrorEntry(
        401, "The API key has expired", "Make a new one with `tidings key create --name NAME`."
    ),
    ErrorCode.LAST_OWNER: ErrorEntry(409, "The App would have no owner", "Make somebody else an owner first."),
    ErrorCode.LAST_SUPER_ADMIN: ErrorEntry(
        409, "The instance would have no super admin", "Make somebody else a super admin first."
    ),
    ErrorCode.LOCKED_OUT: ErrorEntry(
        429, "Too many failed attempts", "Wait as long as `Retry-After` says, or sign in with a passkey."
    ),
    ErrorCode.MESSAGE_TOO_LARGE: ErrorEntry(
        422,
        "The message does not fit into a push",
        "Shorten title, body, data or URLs; `detail` says by how many bytes.",
    ),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorEntry(405, "This address does not take that method", "See `Allow`."),
    ErrorCode.NO_SUBSCRIPTION: ErrorEntry(
        409, "Nobody to send to", "Open the site, click Enable and allow notifications; then try again."
    ),
    ErrorCode.NOT_FOUND: ErrorEntry(404, "There is nothing here", "Check the address and the id."),
    ErrorCode.NOTIFICATION_EXPIRED: ErrorEntry(
        409, "The notification's time to live has ended", "Nobody would get it any more; send it anew if it holds."
    ),
    ErrorCode.NOTIFICATION_FINAL: ErrorEntry(
        409, "The notification is already finished", "Only queued, sending and paused notifications can be changed."
    ),
    ErrorCode.OIDC_FAILED: ErrorEntry(
        401,
        "Signing in with the provider failed",
        "Try again; if it stays, `detail` says what an administrator has to mend.",
    ),
    ErrorCode.ORIGIN_NOT_ALLOWED: ErrorEntry(
        403, "This site may not use the App", "Add it: `tidings app allow https://www.example.com`."
    ),
    ErrorCode.OUTCOME_UNKNOWN: ErrorEntry(
        503,
        "We do not know whether this was stored",
        "Repeat the request with the same Idempotency-Key; without one, look first whether it was.",
    ),
    ErrorCode.PREFERENCE_MANDATORY: ErrorEntry(
        409, "This cannot be turned off", "Leave it on; the App declares this event type as mandatory."
    ),
    ErrorCode.RATE_LIMITED: ErrorEntry(
        429, "Too many requests", "Wait as many seconds as `Retry-After` says, then go on."
    ),
    ErrorCode.PASSKEY_REFUSED: ErrorEntry(401, "The passkey was not accepted", "Try again, or sign in another way."),
    ErrorCode.PASSWORD_TOO_WEAK: ErrorEntry(
        422,
        "The password is too easy to guess",
        "Use 10 characters or more that are no common password and not your e-mail address.",
    ),
    ErrorCode.REAUTHENTICATION_REQUIRED: ErrorEntry(
        403,
        "This needs you to show again who you are",
        "Confirm with your password, code or passkey at POST /session/confirm, then repeat the request.",
    ),
    ErrorCode.RECEIPT_INVALID: ErrorEntry(
        422, "The receipt does not belong to a delivery", "Send `delivery` and `token` as they came in the payload."
    ),
    ErrorCode.RESET_LINK_INVALID: ErrorEntry(
        403,
        "The reset link is used up or has expired",
        "Ask an administrator for a new one, or run `tidings member reset EMAIL`.",
    ),
    ErrorCode.SDK_NOT_BUILT: ErrorEntry(
        503, "The browser SDK is not built", "Run `make sdk` in the source folder; the published wheel has it built."
    ),
    ErrorCode.SECOND_FACTOR_WRONG: ErrorEntry(
        401, "The code was not accepted", "Use the code that the app shows now, or one of your recovery codes."
    ),
    ErrorCode.SERVICE_BUSY: ErrorEntry(503, "The server cannot store this now", "Try again; nothing was changed."),
    ErrorCode.SETUP_LINK_INVALID: ErrorEntry(
        403,
        "The set-up link is used up or has expired",
        "Start `tidings up` again: it prints a new one while nobody is here. Else `tidings member reset EMAIL` lets in "
        "whoever has an account.",
    ),
    ErrorCode.SIGN_IN_REFUSED: ErrorEntry(
        401,
        "E-mail address or password is wrong",
        "Try again; whoever forgot the password asks an administrator for a reset link, or runs "
        "`tidings member reset EMAIL` on the server.",
    ),
    ErrorCode.SUBSCRIPTION_AUTH_INVALID: ErrorEntry(
        422,
        "The subscription's `auth` is not valid",
        "Send `keys.auth` of PushSubscription.toJSON(): 16 bytes in base64url.",
    ),
    ErrorCode.SUBSCRIPTION_ENDPOINT_FORBIDDEN: ErrorEntry(
        422,
        "The endpoint is not at a push service we know",
        "If you run a push service of your own, add its host to TIDINGS_EXTRA_PUSH_HOSTS.",
    ),
    ErrorCode.SUBSCRIPTION_ENDPOINT_INSECURE: ErrorEntry(
        422, "The endpoint must be https", "Send the endpoint exactly as the browser gave it."
    ),
    ErrorCode.SUBSCRIPTION_ENDPOINT_INVALID: ErrorEntry(
        422, "The endpoint is not a valid URL", "Send the endpoint exactly as the browser gave it."
    ),
    ErrorCode.SUBSCRIPTION_ENDPOINT_IP: ErrorEntry(
        422,
        "The endpoint names an IP address",
        "Push services have host names; send the endpoint as the browser gave it.",
    ),
    ErrorCode.SUBSCRIPTION_ENDPOINT_PORT: ErrorEntry(
        422, "The endpoint names a port other than 443", "Send the endpoint exactly as the browser gave it."
    ),
    ErrorCode.SUBSCRIPTION_ENDPOINT_TOO_LONG: ErrorEntry(
        422, "The endpoint is longer than 2 048 characters", "Send the endpoint exactly as the browser gave it."
    ),
    ErrorCode.SUBSCRIPTION_ENDPOINT_PRIVATE: ErrorEntry(
        422, "The endpoint's host leads to an address we may not call", "Check the DNS entry of your push service."
    ),
    ErrorCode.SUBSCRIPTION_ENDPOINT_USERINFO: ErrorEntry(
        422, "The endpoint contains a user name or password", "Send the endpoint exactly as the browser gave it."
    ),
    ErrorCode.SUBSCRIPTION_KEY_INVALID: ErrorEntry(
        422,
        "The subscription's `p256dh` is not a point on the curve",
        "Send `keys.p256dh` of PushSubscription.toJSON(): 65 bytes in base64url.",
    ),
    ErrorCode.SUBSCRIPTION_SECRET_REQUIRED: ErrorEntry(
        403,
        "This device is registered already and belongs to somebody",
        "Send the `secret` of the first registration, or a signed identity.",
    ),
    ErrorCode.TAGS_TOO_MANY: ErrorEntry(
        422, "The device would carry too many tags", "Take some away by setting them to null."
    ),
    ErrorCode.TAG_INVALID: ErrorEntry(
        422, "A tag is not valid", "Use names of 1 to 64 and values of up to 256 printable characters."
    ),
    ErrorCode.TEMPLATES_TOO_MANY: ErrorEntry(
        409, "The App has as many templates as it may have", "Delete those that nothing sends any more."
    ),
    ErrorCode.TEMPLATE_INVALID: ErrorEntry(
        422,
        "The template cannot be used",
        "See `errors` for the fields; docs/how-to/templates.md has what may be written.",
    ),
    ErrorCode.TEMPLATE_NAME_TAKEN: ErrorEntry(409, "The name is taken", "Choose a name that no other template has."),
    ErrorCode.TOO_MANY_HELD: ErrorEntry(
        409,
        "Too many notifications are held already",
        "Say what is to become of them: `tidings notifications held --send` or `--cancel`; "
        "send with `confirm_volume: true` what is meant.",
    ),
    ErrorCode.TRIGGERS_TOO_MANY: ErrorEntry(
        409, "The App has 1 000 triggers", "Delete one that is not used any more, or let one serve several cases."
    ),
    ErrorCode.TRIGGER_INVALID: ErrorEntry(
        422, "The trigger is not valid", "See `errors` for the field and what is wrong with it."
    ),
    ErrorCode.UNAUTHORIZED: ErrorEntry(
        401,
        "Nobody is signed in, and there is no valid API key",
        "Sign in, or send `Authorization: Bearer <key>`; make one with `tidings key create --name NAME`.",
    ),
    ErrorCode.UNSUBSCRIBE_LINK_INVALID: ErrorEntry(
        404,
        "This link leads to nothing any more",
        "Turn notifications off on the site itself, in its notification settings.",
    ),
    ErrorCode.VAPID_KEY_INVALID: ErrorEntry(
        422, "The VAPID key is not valid", "Give a P-256 private key: PEM, or 32 bytes in base64url."
    ),
    ErrorCode.VAPID_KEY_MISMATCH: ErrorEntry(
        422,
        "The two VAPID keys do not belong together",
        "Import the private key alone; the public key follows from it.",
    ),
    ErrorCode.VAPID_KEY_MISSING: ErrorEntry(404, "No VAPID key exists yet", "Run `tidings vapid generate`."),
    ErrorCode.VAPID_KEY_UNKNOWN: ErrorEntry(
        422, "The subscription was made with a VAPID key we do not have", "Fetch `/push/vapid-key` and subscribe again."
    ),
}
