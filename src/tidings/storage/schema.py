"""The whole schema: whoever imports it knows every table."""

from __future__ import annotations

from tidings.storage.tables import (
    accounts,
    apps,
    erasures,
    events,
    images,
    instance,
    notifications,
    preferences,
    segments,
    stats,
    subscriptions,
    templates,
    triggers,
    webhooks,
)
from tidings.storage.tables.metadata import metadata

__all__ = ["metadata"]

ROOMS = (
    accounts,
    apps,
    erasures,
    events,
    images,
    instance,
    notifications,
    preferences,
    segments,
    stats,
    subscriptions,
    templates,
    triggers,
    webhooks,
)
"""Importing them is what makes them part of the metadata."""
