"""What can be wrong with devices, what they register and report, and the integrations that reach them."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.domain.errors.codes import ErrorCode, ErrorEntry

DEVICES: Mapping[ErrorCode, ErrorEntry] = {
    ErrorCode.CHANNEL_REFUSED: ErrorEntry(
        502,
        "The push service refused what was asked of a channel",
        "What it said is in `detail`; mend that and ask again. Nothing was changed here.",
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
    ErrorCode.EVENTS_TOO_MANY: ErrorEntry(
        429,
        "This device has reported 1 000 events within a day",
        "Report what you want to act on, not every scroll; go on tomorrow.",
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
    ErrorCode.PREFERENCE_MANDATORY: ErrorEntry(
        409, "This cannot be turned off", "Leave it on; the App declares this event type as mandatory."
    ),
    ErrorCode.RECEIPT_INVALID: ErrorEntry(
        422, "The receipt does not belong to a delivery", "Send `delivery` and `token` as they came in the payload."
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
    ErrorCode.ANSWER_CLOSED: ErrorEntry(
        410, "This question is closed", "Nothing is to be done; thank you for wanting to answer."
    ),
    ErrorCode.ANSWER_LINK_INVALID: ErrorEntry(
        404, "This link leads to nothing", "Open it again from the notification; a link that was cut does not work."
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
    ErrorCode.WEB_PUSH_OFF: ErrorEntry(
        409,
        "Push notifications are not available on this site at the moment",
        "An owner or admin turns web push on again under Settings → Push Notifications.",
    ),
    ErrorCode.VAPID_KEY_UNKNOWN: ErrorEntry(
        422, "The subscription was made with a VAPID key we do not have", "Fetch `/push/vapid-key` and subscribe again."
    ),
}
