"""Every resource of the REST API in one router, in the order of the reference."""

from __future__ import annotations

from fastapi import APIRouter

from tidings.web.api import (
    apps,
    audit,
    channels,
    course,
    dead_shards,
    dry_runs,
    erasures,
    event_types,
    events,
    factors,
    fits,
    follows,
    images,
    integrations,
    invitations,
    keys,
    me,
    members,
    notifications,
    oidc,
    outlooks,
    preferences,
    presets,
    reset,
    segments,
    session,
    setup,
    snippets,
    stats,
    subscriptions,
    system,
    templates,
    timelines,
    triggers,
    uploads,
    users,
    webhook_log,
    webhooks,
)
from tidings.web.api.shapes import PROBLEMS
from tidings.web.callers import API

router = APIRouter(prefix=API, responses=PROBLEMS)
for _part in (
    fits.router,  # before a notification of that name
    outlooks.router,  # likewise
    notifications.router,
    notifications.test_router,
    course.router,
    templates.router,
    images.router,
    erasures.router,  # before the users, whose ids may have slashes in them
    event_types.router,
    events.router,
    preferences.router,  # likewise
    follows.router,  # likewise
    timelines.router,  # likewise
    triggers.router,
    segments.router,
    dry_runs.router,
    presets.router,
    webhooks.router,
    webhook_log.router,
    subscriptions.router,
    users.router,
    apps.router,
    snippets.router,
    integrations.router,
    uploads.router,
    channels.router,
    keys.router,
    system.router,
    stats.router,
    dead_shards.router,
    session.router,
    setup.router,
    oidc.router,
    reset.router,
    me.router,
    factors.router,
    members.router,
    invitations.router,
    oidc.providers_router,
    audit.router,
):
    router.include_router(_part)
