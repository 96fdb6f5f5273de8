"""Run by firebase-admin's own Python: message bodies come in, what its SDK would send of each goes out."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

from firebase_admin import messaging


def message_of(said: dict[str, Any]) -> messaging.Message:
    """Say with the SDK's classes what a body says; whatever the SDK refuses raises."""
    android, apns, webpush = said["android"], said["apns"], said["webpush"]
    shown = android.get("notification")
    return messaging.Message(
        token=said["token"],
        data=said["data"],
        notification=messaging.Notification(**said["notification"]) if "notification" in said else None,
        android=messaging.AndroidConfig(
            collapse_key=android.get("collapse_key"),
            priority=android["priority"].lower(),
            ttl=timedelta(seconds=int(android["ttl"][:-1])),
            restricted_package_name=android.get("restricted_package_name"),
            direct_boot_ok=android.get("direct_boot_ok"),
            notification=messaging.AndroidNotification(
                **{
                    name: value.lower() if name == "visibility" else value
                    for name, value in shown.items()
                    if name != "notification_count"
                },
                notification_count=shown.get("notification_count"),
            )
            if shown is not None
            else None,
        ),
        apns=messaging.APNSConfig(
            headers=apns["headers"],
            payload=payload_of(apns["payload"]),
            fcm_options=messaging.APNSFCMOptions(**apns["fcm_options"]) if "fcm_options" in apns else None,
        ),
        webpush=messaging.WebpushConfig(
            headers=webpush["headers"],
            notification=web_notification_of(webpush["notification"]),
            fcm_options=messaging.WebpushFCMOptions(**webpush["fcm_options"]) if "fcm_options" in webpush else None,
        ),
    )


def payload_of(payload: dict[str, Any]) -> messaging.APNSPayload:
    aps = dict(payload["aps"])
    alert, sound = aps.pop("alert", None), aps.pop("sound", None)
    known = {"badge": "badge", "thread-id": "thread_id", "category": "category"}
    flags = {"content-available": "content_available", "mutable-content": "mutable_content"}
    given = {ours: aps.pop(name) for name, ours in known.items() if name in aps}
    given |= {ours: bool(aps.pop(name)) for name, ours in flags.items() if name in aps}
    if isinstance(sound, dict):
        sound = messaging.CriticalSound(sound["name"], critical=True, volume=sound["volume"])
    return messaging.APNSPayload(
        messaging.Aps(
            alert=messaging.ApsAlert(**alert) if alert is not None else None,
            sound=sound,
            custom_data=aps or None,
            **given,
        ),
        **{name: value for name, value in payload.items() if name != "aps"},
    )


def web_notification_of(shown: dict[str, Any]) -> messaging.WebpushNotification:
    actions = [messaging.WebpushNotificationAction(**one) for one in shown.get("actions", [])]
    known = {name: value for name, value in shown.items() if name not in ("actions", "lang")}
    return messaging.WebpushNotification(actions=actions or None, language=shown.get("lang"), **known)


def main() -> None:
    """Answer a list of bodies with a list of what the SDK encodes."""
    encoder = messaging._MessagingService.JSON_ENCODER
    bodies = json.load(sys.stdin)
    json.dump([json.loads(encoder.encode(message_of(body["message"]))) for body in bodies], sys.stdout)


main()
