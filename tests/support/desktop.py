"""A desktop's notification service on a bus of its own: sees what a browser shows, and clicks as a person would."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from dbus_fast import BusType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusDict, DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
DISMISSED = 2

Strings = Annotated[list[str], DBusSignature("as")]
FourStrings = Annotated[list[str], DBusSignature("ssss")]
Closed = Annotated[list[int], DBusSignature("uu")]
Invoked = Annotated[list[Any], DBusSignature("us")]


@dataclass(frozen=True)
class Shown:
    """One notification as the desktop got it; `actions` maps the key to the label of each button."""

    id: int
    app: str
    title: str
    body: str
    actions: dict[str, str]
    replaces: int
    hints: dict[str, Any] = field(repr=False)


class Notifications(ServiceInterface):
    """The desktop's side of the Desktop Notifications Specification 1.2."""

    def __init__(self) -> None:
        super().__init__(NAME)
        self.shown: list[Shown] = []
        self._last = 0

    @dbus_method()
    def GetCapabilities(self) -> Strings:
        return ["body", "body-markup", "actions", "persistence", "icon-static"]

    @dbus_method()
    def GetServerInformation(self) -> FourStrings:
        return ["tidings-test-desktop", "tidings", "1.0", "1.2"]

    @dbus_method()
    def Notify(
        self,
        app: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        summary: DBusStr,
        body: DBusStr,
        actions: Strings,
        hints: DBusDict,
        timeout: DBusInt32,
    ) -> DBusUInt32:
        if not replaces:
            self._last += 1
        number = replaces or self._last
        pairs = dict(zip(actions[::2], actions[1::2], strict=True))
        known = {name: value.value for name, value in hints.items() if name != "image-data"}
        self.shown.append(Shown(number, app, summary, body, pairs, replaces, known))
        return number

    @dbus_method()
    def CloseNotification(self, number: DBusUInt32) -> None:
        self.NotificationClosed(number, 3)

    @dbus_signal()
    def NotificationClosed(self, number: DBusUInt32, reason: DBusUInt32) -> Closed:
        return [number, reason]

    @dbus_signal()
    def ActionInvoked(self, number: DBusUInt32, key: DBusStr) -> Invoked:
        return [number, key]

    @dbus_signal()
    def ActivationToken(self, number: DBusUInt32, token: DBusStr) -> Invoked:
        return [number, token]


class Desktop:
    """What a test sees and does."""

    def __init__(self, notifications: Notifications, address: str) -> None:
        self._notifications = notifications
        self.environment = {"DBUS_SESSION_BUS_ADDRESS": address}

    @property
    def shown(self) -> list[Shown]:
        """Everything shown so far, in order."""
        return self._notifications.shown

    async def wait_for(self, wanted: Callable[[Shown], bool], *, seconds: float = 20) -> Shown:
        """Wait until a notification is shown that the test wants."""
        async with asyncio.timeout(seconds):
            while True:
                for one in self.shown:
                    if wanted(one):
                        return one
                await asyncio.sleep(0.02)

    def click(self, shown: Shown, *, action: str = "default") -> None:
        """Click on the notification or one of its buttons: the browser takes it for a person's."""
        self._notifications.ActivationToken(shown.id, "clicked-by-the-test")
        self._notifications.ActionInvoked(shown.id, action)
        self._notifications.NotificationClosed(shown.id, DISMISSED)

    def dismiss(self, shown: Shown) -> None:
        """Close the notification without a click."""
        self._notifications.NotificationClosed(shown.id, DISMISSED)


@asynccontextmanager
async def running_desktop() -> AsyncIterator[Desktop]:
    """Start a session bus of our own with a notification service on it."""
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("dbus-daemon is not installed; `make browsers` installs it where it may")
    daemon = subprocess.Popen(
        [program, "--session", "--nofork", "--nopidfile", "--print-address=1"], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    try:
        address = daemon.stdout.readline().strip()
        bus = await MessageBus(bus_address=address, bus_type=BusType.SESSION).connect()
        notifications = Notifications()
        bus.export(PATH, notifications)
        await bus.request_name(NAME)
        yield Desktop(notifications, address)
        bus.disconnect()
        await bus.wait_for_disconnect()
    finally:
        daemon.terminate()
        daemon.wait(10)
        daemon.stdout.close()
