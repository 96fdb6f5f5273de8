"""The web application: a Container in, an ASGI application out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from tidings import __version__
from tidings.lib.metrics import Metrics
from tidings.web import dashboard, errors, health, openapi, reference
from tidings.web.addresses import RefuseNul
from tidings.web.api.routes import router
from tidings.web.bodies import LimitBody
from tidings.web.callers import Authenticate, guards_of
from tidings.web.hosts import TrustHosts
from tidings.web.limits import LimitAddresses, LimitCallers
from tidings.web.public.routes import public_routes
from tidings.web.requests import MeasureRequests
from tidings.web.security import SecureAnswers

if TYPE_CHECKING:
    from tidings.wiring import Container


def create_app(
    container: Container,
    *,
    operator_token: str | None = None,
    background: Callable[[], AbstractAsyncContextManager[object]] | None = None,
    metrics: Metrics | None = None,
) -> FastAPI:
    """Build the application.

    `operator_token` lets this machine's operator in as an administrator. `background` runs as long as the
    application does (the worker, where both share a process). Whoever stops the server sets
    `app.state.stopping` first, so that streams end by themselves.
    """
    base_url, limiter = container.settings.base_url, container.limiter
    docs_url = f"{base_url}/docs/errors"

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await container.apps.ensure_first()
        async with background() if background else nullcontext(), container.process.watching():
            try:
                yield
            finally:
                app.state.stopping.set()

    app = FastAPI(
        title="Tidings",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(MeasureRequests, metrics=metrics or container.metrics),
            Middleware(SecureAnswers, base_url=base_url),
            Middleware(LimitBody, docs_url=docs_url),
            Middleware(TrustHosts, base_url=base_url, allowed=container.settings.allowed_hosts, docs_url=docs_url),
            Middleware(LimitAddresses, limiter=limiter, base_url=base_url, docs_url=docs_url),
            Middleware(RefuseNul, docs_url=docs_url),
            Middleware(Authenticate, container=container, operator_token=operator_token, docs_url=docs_url),
            Middleware(LimitCallers, limiter=limiter, base_url=base_url, docs_url=docs_url),
        ],
    )
    app.state.container = container
    app.state.docs_url = docs_url
    app.state.metrics = metrics or container.metrics
    app.state.stopping = asyncio.Event()
    app.state.following = Counter[str]()
    errors.install(app)
    openapi.install(app)
    app.include_router(router)
    app.include_router(health.router)
    app.include_router(reference.router)
    app.router.routes.extend(public_routes())
    dashboard.install(app)
    app.state.guards = guards_of(app)
    return app
