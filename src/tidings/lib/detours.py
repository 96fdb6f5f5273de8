"""Detours, for development: what is called elsewhere, a whole host or only what begins with a path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Detours:
    """Made of `{"push.example.com": "127.0.0.1:8443", "api.example.com/v1/": "127.0.0.1:8443"}`; hosts in any case.

    So one API of a host can be simulated while its others stay where they are.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self.hosts: dict[str, str] = {}
        """Where whole hosts are."""
        self._paths: list[tuple[str, str, str]] = []
        for what, place in places.items():
            host, slash, path = what.partition("/")
            if slash:
                self._paths.append((host.lower(), f"/{path}", place))
            else:
                self.hosts[host.lower()] = place

    @property
    def by_path(self) -> bool:
        """Tell whether the host alone does not say where a request goes."""
        return bool(self._paths)

    def of(self, host: str, path: str) -> str | None:
        """Give the `address:port` that a request goes to; None if it goes where it says."""
        for other, start, place in self._paths:
            if host == other and path.startswith(start):
                return place
        return self.hosts.get(host)


def whole_hosts(names: Iterable[str]) -> tuple[str, ...]:
    """Leave out what is a detour of a path: its host is where it was."""
    return tuple(name for name in names if "/" not in name)
