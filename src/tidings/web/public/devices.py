"""What apps call: a phone registers its token, refreshes it, and leaves."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tidings.domain.app import App
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.subscription import Ending
from tidings.services.devices import place_of
from tidings.services.registration import Registration
from tidings.web.auth import container_of
from tidings.web.public.bodies import DeviceBody, SubscribeAnswer, device_decoder, leave_decoder
from tidings.web.public.door import body_of


async def register(request: Request, app: App) -> Response:
    """Register or refresh a device: 201 when it is new, 200 when it was known."""
    body = await body_of(request, device_decoder)
    registered = await container_of(request).phones.devices.register(app, _registration(body))
    row = registered.subscription
    answer = SubscribeAnswer(id=row.public_id, status=row.status.value, secret=registered.secret)
    status = 201 if registered.created else 200
    return Response(msgspec.json.encode(answer), status_code=status, media_type="application/json")


async def leave(request: Request, app: App) -> Response:
    """Turn a device off."""
    body = await body_of(request, leave_decoder)
    if body.token is None and body.id is None:
        raise CatalogueError(ErrorCode.INVALID_REQUEST, "Name the device by its `id` or its `token`.")
    await container_of(request).subscriptions.unregister(
        app,
        endpoint=body.token,
        public_id=body.id,
        secret=body.secret,
        reason=Ending(body.reason or Ending.BY_DEVICE),
    )
    return Response(status_code=204)


def _registration(body: DeviceBody) -> Registration:
    return Registration(
        subscription=place_of(msgspec.structs.asdict(body)),
        user_id=body.user.id if body.user else None,
        user_token=body.user.token if body.user else None,
        locale=body.locale,
        time_zone=body.time_zone,
        tags=body.tags,
        id=body.id,
        secret=body.secret,
        device=body.device,
        app_version=body.app_version,
    )
