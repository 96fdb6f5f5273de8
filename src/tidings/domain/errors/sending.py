"""What can be wrong with what is to be sent, and with what makes it be sent."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.domain.errors.codes import ErrorCode, ErrorEntry

SENDING: Mapping[ErrorCode, ErrorEntry] = {
    ErrorCode.AUDIENCE_CHANGED: ErrorEntry(
        409,
        "The audience is not the one you counted",
        "Count it again, look at the number, and send again with that number as `expect_audience`.",
    ),
    ErrorCode.AUDIENCE_INVALID: ErrorEntry(
        422,
        "The audience is not valid",
        'Use one of {"all": true}, {"users": [...]}, {"subscriptions": [...]}, {"tags": {...}}, '
        '{"segment": "seg_..."}, {"fcm_topic": "..."}, {"fcm_condition": "..."}, '
        '{"apns_channel": "chn_..."}; in a trigger `detail` says which rule is meant, and '
        "docs/how-to/events-and-triggers.md has them all.",
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
        "See `errors` for the place in `variables`, `examples` or `locales` and what is wrong with it.",
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
    ErrorCode.IMAGES_TOO_MANY: ErrorEntry(
        409, "The App has as many pictures as it may have", "Delete those that nothing shows any more."
    ),
    ErrorCode.IMAGE_INVALID: ErrorEntry(
        422, "The picture cannot be taken", "Send the bytes of a JPEG, PNG, WebP or GIF of at most 8 MiB."
    ),
    ErrorCode.MESSAGE_TOO_LARGE: ErrorEntry(
        422,
        "The message does not fit into a push",
        "Shorten title, body, data or URLs; `detail` says by how many bytes.",
    ),
    ErrorCode.NO_SUBSCRIPTION: ErrorEntry(
        409, "Nobody to send to", "Open the site, click Enable and allow notifications; then try again."
    ),
    ErrorCode.NOTIFICATION_EXPIRED: ErrorEntry(
        409, "The notification's time to live has ended", "Nobody would get it any more; send it anew if it holds."
    ),
    ErrorCode.NOTIFICATION_FINAL: ErrorEntry(
        409, "The notification is already finished", "Only queued, sending and paused notifications can be changed."
    ),
    ErrorCode.PRESET_IN_THE_WAY: ErrorEntry(
        409,
        "Something of the App does not go with the preset",
        "`detail` says what does not fit: give the event type or template of that name what is missing, or remove it, "
        "and apply the preset again.",
    ),
    ErrorCode.SEGMENTS_TOO_MANY: ErrorEntry(
        409, "The App has 1 000 segments", "Delete one that nothing is sent to any more."
    ),
    ErrorCode.SEGMENT_IN_USE: ErrorEntry(
        409,
        "Something is sent to the segment",
        "Change or delete the triggers in `detail` first, and wait for its notifications or cancel them.",
    ),
    ErrorCode.SEGMENT_NAME_TAKEN: ErrorEntry(409, "The name is taken", "Choose a name that no other segment has."),
    ErrorCode.TEMPLATES_TOO_MANY: ErrorEntry(
        409, "The App has as many templates as it may have", "Delete those that nothing sends any more."
    ),
    ErrorCode.TEMPLATE_IN_USE: ErrorEntry(
        409, "Triggers take their words from the template", "Give those triggers other words first."
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
    ErrorCode.TOPICS_TOO_MANY: ErrorEntry(
        409, "Nobody follows more than 1 000 topics", "Let them leave a topic that they do not need any more."
    ),
    ErrorCode.TOPIC_INVALID: ErrorEntry(422, "The topic is not valid", "See `detail` for what a topic may be called."),
    ErrorCode.TOPIC_PRIVATE: ErrorEntry(
        403,
        "Pages cannot follow this topic",
        "Topics that begin with `private:` are your server's alone: PUT /api/v1/users/{id}/topics/{topic}.",
    ),
    ErrorCode.TRIGGERS_TOO_MANY: ErrorEntry(
        409, "The App has 1 000 triggers", "Delete one that is not used any more, or let one serve several cases."
    ),
    ErrorCode.TRIGGER_INVALID: ErrorEntry(
        422, "The trigger is not valid", "See `errors` for the field and what is wrong with it."
    ),
    ErrorCode.WEBHOOKS_TOO_MANY: ErrorEntry(
        409, "The App has 20 webhooks", "Delete one that is not used any more, or let one receiver pass events on."
    ),
}
