"""What to paste into a site: GET /apps/{app_id}/snippets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tidings.domain.app import App
from tidings.domain.permission import Permission
from tidings.services.snippets import CHECK, Way, policy_for, snippets_for
from tidings.web.auth import container_of, in_path_app

router = APIRouter(prefix="/apps", tags=["Apps"])
NOWHERE = "localhost"
"""The host of a request that came over no network: a command that opened the instance itself."""


class StepOut(BaseModel):
    """One thing to do."""

    title: str
    code: str


class SnippetOut(BaseModel):
    """One way in."""

    way: Way
    title: str
    when: str = Field(description="For whom it is.")
    steps: list[StepOut]


class SnippetsOut(BaseModel):
    """Everything a site needs to let its visitors subscribe."""

    server: str = Field(description="The address that browsers reach this instance at.")
    snippets: list[SnippetOut]
    policy: str = Field(description="What a Content-Security-Policy of the site needs.")
    check: str = Field(description="What to run in the browser's console when it does not work.")


@router.get("/{app_id}/snippets", operation_id="get_snippets", summary="Get what to paste into a site")
async def get_snippets(request: Request, app: Annotated[App, in_path_app(Permission.APP_SEE)]) -> SnippetsOut:
    """Show three ways to connect a site, with this App's own addresses."""
    server = _server(request)
    return SnippetsOut(
        server=server,
        snippets=[
            SnippetOut(
                way=one.way,
                title=one.title,
                when=one.when,
                steps=[StepOut(title=step.title, code=step.code) for step in one.steps],
            )
            for one in snippets_for(server, app.public_id)
        ],
        policy=policy_for(server),
        check=CHECK,
    )


def _server(request: Request) -> str:
    settings = container_of(request).settings
    host = request.headers.get("host", NOWHERE)
    return settings.base_url if settings.public_url or host == NOWHERE else f"{request.scope['scheme']}://{host}"
