"""Pictures for notifications: GET, POST /images; GET, DELETE /images/{id}."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.image import Image
from tidings.domain.permission import Permission
from tidings.web.api.shapes import FIRST_LIMIT, Cursor, Limit, ListOf, listed
from tidings.web.auth import By, container_of, in_app

TAKEN = ("image/jpeg", "image/png", "image/webp", "image/gif")
BINARY = {"schema": {"type": "string", "format": "binary"}}
PUBLIC = "/push/images/"

router = APIRouter(prefix="/images", tags=["Images"])
ReadMessages = Annotated[App, in_app(Permission.MESSAGE_READ)]
SendApp = Annotated[App, in_app(Permission.MESSAGE_SEND)]


class ImageOut(BaseModel):
    """A picture that is kept here."""

    id: str
    url: str = Field(description="Its address for `icon` and `image`; nobody guesses it, and what it shows stays.")
    media_type: str
    width: int
    height: int
    bytes: int
    created_at: datetime
    used_at: datetime = Field(description="When it was last uploaded or loaded, to the day.")


@router.post(
    "",
    operation_id="upload_image",
    summary="Upload an image",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The bytes of a JPEG, PNG, WebP or GIF, up to 8 MiB.",
            "content": dict.fromkeys(TAKEN, BINARY),
        }
    },
)
async def upload_image(request: Request, response: Response, by: By, app: SendApp) -> ImageOut:
    """Keep a picture for notifications. It is written anew, at most 1 600 pixels wide and high and without metadata.

    The same picture again has the same address. One that nobody loads for `TIDINGS_KEEP_IMAGES` days is removed.
    """
    made = await container_of(request).images.add(app, await request.body(), by=by)
    response.headers["Location"] = f"/api/v1/images/{made.public_id}"
    return _out(request, made)


@router.get("", operation_id="list_images", summary="List images")
async def list_images(
    request: Request, app: ReadMessages, limit: Limit = FIRST_LIMIT, cursor: Cursor = None
) -> ListOf[ImageOut]:
    """List pictures, newest first."""
    page = await container_of(request).images.page(app.id, cursor=cursor, limit=limit)
    return listed(page, lambda one: _out(request, one))


@router.get("/{image_id}", operation_id="get_image", summary="Get an image")
async def get_image(request: Request, app: ReadMessages, image_id: str) -> ImageOut:
    """Show what is known of a picture."""
    return _out(request, await container_of(request).images.get(app.id, image_id))


@router.delete("/{image_id}", operation_id="delete_image", summary="Delete an image", status_code=204)
async def delete_image(request: Request, by: By, app: SendApp, image_id: str) -> None:
    """Remove a picture. Notifications that name it are shown without it."""
    await container_of(request).images.delete(app.id, image_id, by=by)


def _out(request: Request, of: Image) -> ImageOut:
    return ImageOut(
        id=of.public_id,
        url=f"{container_of(request).settings.base_url}{PUBLIC}{of.name}",
        media_type=of.media_type,
        width=of.width,
        height=of.height,
        bytes=of.size,
        created_at=of.created_at,
        used_at=of.used_at,
    )
