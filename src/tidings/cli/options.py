"""What every command shares: --data, --database-url, --json, --app; one way to run and one way to fail."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from tidings.cli.failure import CommandFailed
from tidings.cli.instance import DEMO_FOLDER, demo_in_place_of, exists, uses_files
from tidings.cli.output import Output
from tidings.domain.errors import CatalogueError

if TYPE_CHECKING:
    from tidings.cli.client import Api
    from tidings.settings import Settings

Function = TypeVar("Function", bound=Callable[..., object])

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the instance (TIDINGS_DATA, else ./tidings-data).", show_default=False),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url", help="PostgreSQL instead of SQLite (else TIDINGS_DATABASE_URL).", show_default=False
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
AppName = Annotated[
    str | None, typer.Option("--app", help="The App, by id or name; the only one if not named.", show_default=False)
]

NO_INSTANCE = "Start it with `tidings up`, or name its folder with --data."
DEMO_STOPPED = (
    "The demo is there, but it does not run: start it with `tidings up --demo`, or name a folder with --data."
)

_TAKES = {"int_parsing": "it takes a whole number", "int_from_float": "it takes a whole number"}
_TAKES |= {"float_parsing": "it takes a number", "bool_parsing": "it takes on or off"}
_TAKES |= {"greater_than_equal": "the least is {ge}", "less_than_equal": "the most is {le}"}
"""What a setting takes, in our words instead of the validator's."""

_EVERYWHERE: dict[str, tuple[Any, Any]] = {
    "app_name": (AppName, None),
    "data": (Data, None),
    "database_url": (DatabaseUrl, None),
    "as_json": (Json, False),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command: which instance, which App, and where to print."""

    out: Output
    data: Path | None = None
    database_url: str | None = None
    app_name: str | None = None

    def settings(self, **overrides: object) -> Settings:
        """Read the settings; an option wins over the environment, the environment over the TOML file."""
        from tomllib import TOMLDecodeError

        from pydantic import ValidationError

        from tidings.cli.misspelt import check_file
        from tidings.settings import Settings

        config = os.environ.get("TIDINGS_CONFIG")
        if config and not Path(config).is_file():
            raise CommandFailed(f"TIDINGS_CONFIG names {config}, which is no file.", "Mend the path, or unset it.")
        given = {"data": self.data, "database_url": self.database_url, **overrides}
        try:
            if config:
                check_file(Path(config), Settings.model_fields)
            return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        except TOMLDecodeError as error:
            raise CommandFailed(f"{config} is not TOML: {error}.", "Mend the file and try again.") from error
        except ValidationError as error:
            fault = error.errors()[0]
            place = "_".join(str(part) for part in fault["loc"])
            name = (
                f"--{place.replace('_', '-')}"
                if given.get(place) is not None
                else f"The setting TIDINGS_{place.upper()}"
            )
            takes = _TAKES.get(fault["type"], "").format(**fault.get("ctx", {}))
            what = takes or fault["msg"].removeprefix("Value error, ")
            raise CommandFailed(f"{name} is not valid: {what}.", "Mend it and try again.") from error

    def warn_of_misspelt(self) -> None:
        """Say which variables of the environment are nearly a setting: they change nothing as they are."""
        from tidings.cli.misspelt import misspelt
        from tidings.settings import Settings

        for variable, meant in misspelt(os.environ, Settings.model_fields):
            self.out.warn(f"{variable} is no setting and changes nothing. Did you mean {meant}?")

    @asynccontextmanager
    async def api(self, *, worker: bool = False, create: bool = False) -> AsyncIterator[Api]:
        """Open the API of the instance; `worker` also delivers in this process when no server runs.

        Only commands that begin something `create` an instance where there is none: a wrong --data is found out.
        """
        from tidings.cli.client import opened

        settings = self.settings()
        demo = demo_in_place_of(settings.data) if self.database_url is None else None
        if demo is not None:
            self.out.note(f"Using the demo in {demo}.")
            settings = settings.model_copy(update={"data": demo})
        elif not create and not exists(settings):
            raise CommandFailed(
                f"There is no instance in {settings.data} yet.", DEMO_STOPPED if _has_demo(settings) else NO_INSTANCE
            )
        elif self.database_url is None and exists(settings) and _has_demo(settings):
            self.out.note(f"Using the instance in {settings.data}, not the demo in {settings.data / DEMO_FOLDER}.")
        elif not exists(settings):
            self.out.note(f"Making a new instance in {settings.data}.")
        async with opened(settings, self.out, worker=worker) as api:
            if worker and api.in_process and (settings.data / "simulator").is_dir():
                raise CommandFailed(
                    "The demo does not run, and neither do the push services that it simulates.",
                    "Start it with `tidings up --demo`, then try again.",
                )
            yield await api.of_app(self.app_name) if self.app_name else api


def _has_demo(settings: Settings) -> bool:
    return uses_files(settings) and exists(settings.model_copy(update={"data": settings.data / DEMO_FOLDER}))


class _PlainFlags:
    """Help that says nothing beside a switch: typer writes `<bool>`, as if a value were to follow."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the options, switches without a type."""
        found: list[Any] = super().get_params(ctx)  # type: ignore[misc]  # of the class it is mixed into
        for one in found:
            if getattr(one, "is_flag", False):
                one.metavar = ""
        return found


class Command(_PlainFlags, TyperCommand):
    """A command."""


class Group(_PlainFlags, TyperGroup):
    """A command that has commands."""


def command(
    group: typer.Typer, name: str, *, app: bool | str = False, panel: str | None = None
) -> Callable[[Function], Function]:
    """Register a function, whose first parameter is its Call, as a command with the shared options.

    `app` gives it --app; a text says what that is for, where it is not the App to work on.
    """

    def register(function: Function) -> Function:
        own = inspect.signature(function, eval_str=True).parameters
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in list(own.values())[1:]]
        shared = {key: kind for key, kind in _EVERYWHERE.items() if key != "app_name" or app}
        if isinstance(app, str):
            shared["app_name"] = (Annotated[str | None, typer.Option("--app", help=app, show_default=False)], None)
        parameters += [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
            for key, (kind, default) in shared.items()
        ]

        @functools.wraps(function)
        def run(**given: Any) -> None:
            call = Call(
                out=Output(as_json=given.pop("as_json")),
                data=given.pop("data"),
                database_url=given.pop("database_url"),
                app_name=given.pop("app_name", None),
            )
            with reported(call.out):
                _run(function(call, **given))

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        del run.__wrapped__
        group.command(name, cls=Command, rich_help_panel=panel)(run)
        return function

    return register


def _run(result: object) -> None:
    if isinstance(result, Coroutine):
        asyncio.run(result)


@contextmanager
def reported(out: Output) -> Iterator[None]:
    """Turn every failure into one line why and one line how to mend, and exit code 1."""
    try:
        yield
    except (CommandFailed, CatalogueError, OSError, KeyboardInterrupt) as error:
        out.failed(_failure(error))
        raise typer.Exit(1) from error
    except typer.Exit:
        raise
    except Exception as error:
        # The last line of defence: a bug reaches a person as a sentence, and its trace on request.
        if isinstance(error, typer.BadParameter | typer.Abort):
            raise
        if os.environ.get("TIDINGS_TRACEBACK"):
            traceback.print_exc()
        out.failed(_failure(error))
        raise typer.Exit(1) from error


def _failure(error: BaseException) -> CommandFailed:
    if isinstance(error, CommandFailed):
        return error
    if isinstance(error, CatalogueError):
        return CommandFailed(error.detail, error.entry.mend, code=error.code)
    if isinstance(error, KeyboardInterrupt):
        return CommandFailed("Interrupted.")
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return CommandFailed(f"{place}{error.strerror or error}.", "Check the path and its permissions.")
    return _of_plug_ins(error) or CommandFailed(
        f"{type(error).__name__}: {error}", "Run it again with TIDINGS_TRACEBACK=1 and report what it prints."
    )


def _of_plug_ins(error: BaseException) -> CommandFailed | None:
    """Word what the bus, the database or the key ring refused, from the one place that knows their exceptions."""
    from tidings.bus import BusRefused
    from tidings.lib.sealed import KeyRingError
    from tidings.storage import StoreUnavailable
    from tidings.storage.errors import StoreRefused

    if isinstance(error, StoreRefused | BusRefused):
        return CommandFailed(error.what, error.mend)
    if isinstance(error, StoreUnavailable):
        return CommandFailed(f"The database does not take this now: {error}", "Check that it runs and has room.")
    if isinstance(error, KeyRingError):
        why, _, mend = str(error).partition(". ")
        return CommandFailed(f"{why}." if mend else why, mend)
    return None


def pairs(texts: list[str], *, option: str) -> Mapping[str, str]:
    """Read repeated `KEY=VALUE` options."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{option} takes KEY=VALUE, not {text!r}.")
        found[key] = value
    return found
