"""Subscribe, unsubscribe, the VAPID key, receipts, tags and events: the hot path of subscribers' browsers."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode, FieldFault
from tidings.domain.stats import Step
from tidings.domain.subscription import Ending
from tidings.services.device import device_from
from tidings.services.registration import Registration
from tidings.web.api.storable import check_storable
from tidings.web.auth import container_of
from tidings.web.public.bodies import (
    EventAnswer,
    SubscribeAnswer,
    SubscribeBody,
    TagsAnswer,
    VapidKeyAnswer,
    event_decoder,
    receipt_decoder,
    subscribe_decoder,
    tags_decoder,
    unsubscribe_decoder,
)
from tidings.web.public.door import body_of, is_dashboard

JSON = "application/json"

STEPS = {"default" if one is Step.DISMISSED else one.value: one for one in Step if one is not Step.SUBSCRIBED}
"""What a page may report: the browser's own words for an answer, and no new browser, which is counted here."""


async def subscribe(request: Request, app: App) -> Response:
    """Register or refresh a subscription: 201 when it is new, 200 when it was known."""
    body = await body_of(request, subscribe_decoder)
    registered = await container_of(request).subscriptions.register(app, _registration(request, body))
    row = registered.subscription
    if registered.created:
        await _took(request, app, Step.SUBSCRIBED)
    answer = SubscribeAnswer(id=row.public_id, status=row.status.value, secret=registered.secret)
    return _json(answer, 201 if registered.created else 200)


async def funnel(request: Request, app: App) -> Response:
    """Count a step on the way to a subscription; the body, if there is one, is not read, and nobody is told apart."""
    step = STEPS.get(request.path_params["step"])
    if step is None:
        words = f"There is no step {request.path_params['step'][:64]!r}; there are {', '.join(STEPS)}."
        raise CatalogueError(ErrorCode.INVALID_REQUEST, words, faults=(FieldFault("step", words),))
    await _took(request, app, step)
    return Response(status_code=204)


async def _took(request: Request, app: App, step: Step) -> None:
    if is_dashboard(app, request):
        return  # who looks after a site, or tries a notification out, is none of its visitors
    agent = request.headers.get("user-agent", "")
    await container_of(request).stats.step(app.id, step, user_agent=agent)


async def unsubscribe(request: Request, app: App) -> Response:
    """Turn a device off."""
    body = await body_of(request, unsubscribe_decoder)
    if body.endpoint is None and body.id is None:
        raise CatalogueError(ErrorCode.INVALID_REQUEST, "Name the device by its `endpoint` or its `id`.")
    await container_of(request).subscriptions.unregister(
        app,
        endpoint=body.endpoint,
        public_id=body.id,
        secret=body.secret,
        reason=Ending(body.reason or Ending.BY_DEVICE),
    )
    return Response(status_code=204)


async def tags(request: Request, app: App) -> Response:
    """Set and take away tags of a device that shows its secret."""
    body = await body_of(request, tags_decoder)
    carried = await container_of(request).tracking.set_tags(app.id, body.id, secret=body.secret, changes=body.tags)
    return _json(TagsAnswer(tags=carried))


async def event(request: Request, app: App) -> Response:
    """Store what happened on a device's page; the same report twice stores it once."""
    body = await body_of(request, event_decoder)
    try:
        check_storable(body.properties, "properties")
    except ValueError as fault:
        found = FieldFault("properties", str(fault))
        raise CatalogueError(ErrorCode.INVALID_REQUEST, str(fault), faults=(found,)) from fault
    stored = await container_of(request).tracking.track(
        app.id, body.id, secret=body.secret, name=body.name, properties=body.properties, key=body.event
    )
    return _json(EventAnswer(id=stored), 202)


async def vapid_key(request: Request, app: App) -> Response:
    """Give the public key to subscribe with."""
    current = await container_of(request).credentials.offered(app.id)
    answer = _json(VapidKeyAnswer(public_key=current.fingerprint))
    # After a rotation every visit has to see the new key.
    answer.headers["Cache-Control"] = "no-cache"
    return answer


async def receipt(request: Request, app: App) -> Response:
    """Count what a person did with a notification; the same report twice counts once."""
    body = await body_of(request, receipt_decoder)
    await container_of(request).flow.receive(
        app.id, delivery=body.delivery, token=body.token, event=body.event, action=body.action
    )
    return Response(status_code=202)


def _registration(request: Request, body: SubscribeBody) -> Registration:
    return Registration(
        subscription=msgspec.to_builtins(body.subscription),
        vapid_key=body.vapid_key,
        user_id=body.user.id if body.user else None,
        user_token=body.user.token if body.user else None,
        locale=body.locale,
        time_zone=body.time_zone,
        tags=body.tags,
        id=body.id,
        secret=body.secret,
        device=device_from(request.headers.get("user-agent", "")),
    )


def _json(answer: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status_code=status, media_type=JSON)
