"""What a browser calls itself, cut down to the words of a list: "Firefox on Windows"."""

from __future__ import annotations

# First match wins: every Chromium browser also says Chrome, and every one of them also says Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device_from(user_agent: str) -> str | None:
    """Name browser and system of a `User-Agent`; None when it has neither.

    Browsers have frozen everything finer in it, so a table of the families holds all there is to know.
    """
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), None)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system


def browser_of(device: str) -> str:
    """Give the browser of what `device_from` made; `unknown` for nothing, `other` for what it does not make."""
    browser = device.partition(" on ")[0]
    if not browser:
        return "unknown"
    return browser if browser in _FAMILIES else "other"


_FAMILIES = frozenset(name for _, name in _BROWSERS)
