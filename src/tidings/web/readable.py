"""What makes the OpenAPI document good to read: its nouns and operations in order, and bodies to copy."""

from __future__ import annotations

from typing import Any

from tidings.web.examples import EXAMPLES

ORDER = (
    "Notifications",
    "Users",
    "Subscriptions",
    "Events",
    "Templates",
    "Segments",
    "Preferences",
    "Topics",
    "Images",
    "Webhooks",
    "Statistics",
    "Public API",
    "Apps",
    "API keys",
    "Integrations",
    "Personal data",
    "System",
    "Audit",
    "Members",
    "Account",
    "Session",
)
"""The nouns, as somebody needs them who begins."""


def readable(document: dict[str, Any]) -> dict[str, Any]:
    """Put the document in order, and an example beside each body in JSON."""
    found = document["paths"].items()
    document["tags"] = [{"name": tag} for tag in sorted({_tag(item) for _, item in found}, key=ORDER.index)]
    nearest: dict[tuple[str, str], int] = {}
    for path, item in found:
        about = (_tag(item), _resource(path))
        nearest[about] = min(nearest.get(about, 99), path.count("/"))
    resources = list(nearest)

    def place(entry: tuple[str, Any]) -> tuple[int, int, int, int]:
        path, item = entry
        about = (_tag(item), _resource(path))
        return ORDER.index(about[0]), nearest[about], resources.index(about), path.count("/")

    document["paths"] = dict(sorted(found, key=place))
    for item in document["paths"].values():
        for operation in item.values():
            media = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if media is not None and operation["operationId"] in EXAMPLES:
                media["example"] = EXAMPLES[operation["operationId"]]
    return document


def _tag(item: dict[str, Any]) -> str:
    return str(next(iter(item.values()))["tags"][0])


def _resource(path: str) -> str:
    """Give the noun of a path: what follows the version."""
    return "/".join(path.split("/")[:4])
