"""Shards that were given up: GET /system/dead-shards; POST .../{shard_id}/requeue, .../{shard_id}/drop."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from tidings.domain.campaign import NotificationStatus
from tidings.domain.delivery import DeadShard
from tidings.domain.permission import Permission
from tidings.web.api.shapes import FIRST_LIMIT, Cursor, Limit, ListOf, listed
from tidings.web.auth import container_of, somewhere
from tidings.web.callers import Caller

router = APIRouter(prefix="/system/dead-shards", tags=["System"])

Repairer = Annotated[Caller, somewhere(Permission.DELIVERY_REPAIR)]
ShardId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class DeadShardOut(BaseModel):
    """A part of a notification that was given up, and whose recipients are counted as in doubt."""

    id: int
    app: str
    notification: str
    title: str
    status: NotificationStatus
    in_doubt: int = Field(description="Devices of which nobody knows whether they got it.")
    because: str = Field(description="`worker_died`: whoever carried it died, 20 times; or `fault:` and its name.")
    buried_at: datetime
    expires_at: datetime = Field(description="Until then it can be tried again.")


@router.get("", operation_id="list_dead_shards", summary="List dead shards")
async def list_dead_shards(
    request: Request,
    caller: Annotated[Caller, somewhere(Permission.APP_READ)],
    limit: Limit = FIRST_LIMIT,
    cursor: Cursor = None,
) -> ListOf[DeadShardOut]:
    """List the parts of notifications that were given up and wait for a decision, newest first."""
    page = await container_of(request).dead_shards.page(
        app_ids=caller.reach(Permission.APP_READ), cursor=cursor, limit=limit
    )
    return listed(page, _out)


@router.post("/{shard_id}/requeue", operation_id="requeue_dead_shard", summary="Try a dead shard again")
async def requeue_dead_shard(request: Request, caller: Repairer, shard_id: ShardId) -> DeadShardOut:
    """Send to its devices after all; those that had it take the second copy for the first."""
    service = container_of(request).dead_shards
    reach = caller.reach(Permission.DELIVERY_REPAIR)
    return _out(await service.requeue(shard_id, app_ids=reach, by=caller.actor))


@router.post("/{shard_id}/drop", operation_id="drop_dead_shard", summary="Leave a dead shard")
async def drop_dead_shard(request: Request, caller: Repairer, shard_id: ShardId) -> DeadShardOut:
    """Leave its devices in doubt for good, and list it no more."""
    reach = caller.reach(Permission.DELIVERY_REPAIR)
    return _out(await container_of(request).dead_shards.drop(shard_id, app_ids=reach, by=caller.actor))


def _out(row: DeadShard) -> DeadShardOut:
    return DeadShardOut(
        id=row.id,
        app=row.app,
        notification=row.notification,
        title=row.title,
        status=row.status,
        in_doubt=row.in_doubt,
        because=row.because,
        buried_at=row.buried_at,
        expires_at=row.expires_at,
    )
