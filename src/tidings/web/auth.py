"""What a route asks of its caller: each declares one permission, or the application does not start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Path, Query
from starlette.requests import HTTPConnection, Request

from tidings.domain.app import App
from tidings.domain.audit import Actor, nobody
from tidings.domain.errors import CatalogueError, ErrorCode
from tidings.domain.member import SignedIn
from tidings.domain.permission import Permission
from tidings.services.apps import Apps
from tidings.web.callers import Caller, Declared, address_of, check_caller, forbidden

if TYPE_CHECKING:
    from tidings.wiring import Container


def container_of(request: HTTPConnection) -> Container:
    """Give what the application was built with."""
    container: Container = request.app.state.container
    return container


def caller_of(request: Request) -> Caller:
    """Give who calls. Raises UNAUTHORIZED."""
    found: Caller | None = request.state.caller
    check_caller(found, None)
    assert found is not None
    return found


AppParam = Annotated[
    str | None, Query(alias="app", description="Id of the App; needed only where the caller reaches several.")
]
AppPath = Annotated[str, Path(description="Id of the App.")]


class _Admitting(Declared):
    def _admitted(self, request: Request) -> Caller:
        caller = caller_of(request)
        if self.recent:
            check_recent(request, caller)
        return caller


class _InApp(_Admitting):
    async def __call__(self, request: Request, name: AppParam = None) -> App:
        return await app_of(request, self._admitted(request), name, self.permission)


class _InPathApp(_Admitting):
    async def __call__(self, request: Request, app_id: AppPath) -> App:
        return await app_of(request, self._admitted(request), app_id, self.permission)


class _OnInstance(_Admitting):
    async def __call__(self, request: Request) -> Caller:
        caller = self._admitted(request)
        check_on_instance(caller, self.permission)
        return caller


class _Somewhere(_Admitting):
    async def __call__(self, request: Request) -> Caller:
        caller = self._admitted(request)
        if not caller.holds(self.permission):
            raise forbidden(self.permission)
        return caller


class _Open(_Admitting):
    async def __call__(self, request: Request) -> Caller | None:
        found: Caller | None = request.state.caller
        return found


class _Oneself(_Admitting):
    async def __call__(self, request: Request) -> SignedIn:
        signed_in = self._admitted(request).signed_in
        if signed_in is None:
            raise forbidden(self.permission)
        return signed_in


def in_app(permission: Permission, *, recent: bool = False, watching: bool = False) -> Any:
    """Ask for a permission in the App named by `app`, the key's own, or the caller's only one; gives the App."""
    return Depends(_made(_InApp, permission, recent, watching))


def in_path_app(permission: Permission, *, recent: bool = False) -> Any:
    """Ask for a permission in the App of the path `{app_id}`; gives the App."""
    return Depends(_made(_InPathApp, permission, recent))


def on_instance(permission: Permission, *, recent: bool = False) -> Any:
    """Ask for a permission on the whole instance, or in every App; gives the Caller."""
    return Depends(_made(_OnInstance, permission, recent))


def somewhere(permission: Permission, *, recent: bool = False) -> Any:
    """Ask for a permission in some App; gives the Caller, whose `reach` says in which."""
    return Depends(_made(_Somewhere, permission, recent))


def oneself(*, recent: bool = False) -> Any:
    """Ask for a member at their browser, about their own account; gives the SignedIn."""
    return Depends(_made(_Oneself, Permission.SELF, recent))


def open_to_all() -> Any:
    """Ask for nothing; gives the Caller, or None."""
    return Depends(_made(_Open, Permission.OPEN, False))


@cache
def _made(
    kind: Callable[..., Callable[..., object]], permission: Permission, recent: bool, watching: bool = False
) -> Callable[..., object]:
    # The same object for the same wish, so that the framework runs it once a request.
    return kind(permission, recent=recent, watching=watching)


def check_also(request: Request, app: App, permission: Permission) -> None:
    """Raise FORBIDDEN where what a request names asks for more than its route does."""
    if not caller_of(request).grants.in_app(permission, app.id):
        raise forbidden(permission, where=f" in {app.public_id}")


def check_on_instance(caller: Caller, permission: Permission) -> None:
    """Raise FORBIDDEN where a permission is not held on the whole instance."""
    if not caller.grants.on_instance(permission):
        raise forbidden(permission, where=" on the whole instance")


def check_recent(request: Request, caller: Caller) -> None:
    """Raise REAUTHENTICATION_REQUIRED where a member has not shown lately who they are; programs cannot be asked."""
    if caller.signed_in and not container_of(request).accounts.sessions.is_recent(caller.signed_in):
        raise CatalogueError(ErrorCode.REAUTHENTICATION_REQUIRED)


async def may_still(request: Request, app: App, permission: Permission) -> bool:
    """Tell whether whoever called still may: a session, a key or a role can end while an answer goes on."""
    try:
        caller: Caller | None = await request.state.caller_again()
    except CatalogueError:
        return False
    return caller is not None and caller.is_whole and caller.grants.in_app(permission, app.id)


async def app_of(request: Request, caller: Caller, name: str | None, permission: Permission) -> App:
    """Give the App a request is about: the named one, or the only one the caller has.

    Raises FORBIDDEN, APP_NOT_FOUND, APP_REQUIRED. Of Apps that are not theirs members hear nothing, not even a name.
    """
    apps = container_of(request).apps
    if name is not None and not caller.grants.everywhere:
        app = await _own(apps, caller, name)
    elif name is not None:
        app = await apps.resolve(name)
    elif caller.grants.everywhere:
        app = await apps.resolve(None)
    elif len(caller.grants.apps) == 1:
        app = await apps.by_id(next(iter(caller.grants.apps)))
    else:
        number = len(caller.grants.apps)
        code = ErrorCode.APP_REQUIRED if number else ErrorCode.FORBIDDEN
        raise CatalogueError(code, f"You belong to {number} Apps; say which one you mean.")
    if not caller.grants.in_app(permission, app.id):
        raise forbidden(permission, where=f" in {app.public_id}")
    return app


async def _own(apps: Apps, caller: Caller, name: str) -> App:
    with suppress(CatalogueError):
        app = await apps.resolve(name)
        if app.id in caller.grants.apps:
            return app
    raise CatalogueError(ErrorCode.FORBIDDEN, f"{name[:64]!r} is not one of your Apps.")


async def _actor(request: Request) -> Actor:
    # Not a plain function: the framework would run that in a thread, which costs more than all the rest of it.
    found: Caller | None = request.state.caller
    return found.actor if found else nobody(address_of(request.scope))


By = Annotated[Actor, Depends(_actor)]
"""Who acts, for the audit log."""
