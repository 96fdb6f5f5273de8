"""Environment or TOML -> one frozen Settings."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

_NAME = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII | re.IGNORECASE)


class Settings(BaseSettings):
    """Everything an operator can set, as `TIDINGS_<NAME>` or as `<name>` in the TOML file named by TIDINGS_CONFIG."""

    model_config = SettingsConfigDict(env_prefix="TIDINGS_", frozen=True, extra="ignore", env_ignore_empty=True)

    data: Path = Field(Path("tidings-data"), description="Folder of the database, the key file and certificates.")
    database_url: str | None = Field(None, description="`postgresql://...`; without it SQLite in the data folder.")
    bus_url: str | None = Field(
        None, description="`nats://...`, where doorbells ring between machines; without it, in this process."
    )
    public_url: str | None = Field(None, description="The address people and browsers reach this instance at.")
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Port the server listens on; 0 takes a free one.")
    senders: int = Field(
        default_factory=lambda: max(1, len(os.sched_getaffinity(0))),
        ge=1,
        le=64,
        description="Sender processes; the number of cores if not set.",
    )
    key_file: Path | None = Field(
        None, description="File of the key ring that seals secrets; `<data>/tidings.key` if not set."
    )
    contact: str | None = Field(
        None, description="Contact address for push services, `mailto:you@example.com`; used when a VAPID key is made."
    )
    extra_push_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Further push hosts, comma separated: `push.example.com`, `.example.com` for all below it, "
        "`*` for every public host.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names the server answers to beside that of TIDINGS_PUBLIC_URL, localhost and addresses; comma "
        "separated: `tidings`, or `.example.com` for all below it.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "::1"),
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; comma "
        "separated.",
    )
    rate_limits: bool = Field(
        True, description="Whether callers that send too much are held back; `off` is for load tests."
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port where `tidings worker` tells its metrics, on TIDINGS_HOST; `tidings up` does at /metrics.",
    )
    tripwire_recipients: int = Field(
        10_000,
        ge=0,
        description="Recipients an App may ask for within the tripwire's minutes before notifications are held; "
        "0 turns that off.",
    )
    tripwire_times: int = Field(
        5, ge=1, le=1_000, description="An App may also ask for so many times its active subscriptions in that time."
    )
    tripwire_minutes: int = Field(10, ge=1, le=1_440, description="The tripwire's minutes.")
    tripwire_repeat_minutes: int = Field(
        30,
        ge=0,
        le=1_440,
        description="The same words to most subscribers again within so many minutes are held; 0 turns that off.",
    )
    keep_deliveries: int = Field(
        90,
        ge=0,
        le=36_500,
        description="Days for which deliveries and receipts are kept after their notification has ended; 0 for ever.",
    )
    keep_notifications: int = Field(
        400, ge=0, le=36_500, description="Days for which notifications are kept after they have ended; 0 for ever."
    )
    keep_events: int = Field(
        90, ge=0, le=36_500, description="Days for which what devices report with `Tidings.track` is kept; 0 for ever."
    )
    keep_feed: int = Field(
        90, ge=0, le=36_500, description="Days for which what came stays in people's bells; 0 for ever."
    )
    keep_images: int = Field(
        400, ge=0, le=36_500, description="Days for which uploaded pictures are kept that nobody loads; 0 for ever."
    )
    keep_subscriptions: int = Field(
        180,
        ge=0,
        le=36_500,
        description="Days for which devices that are not active are kept after they were last seen or reached; "
        "0 for ever.",
    )
    keep_counts: int = Field(
        400, ge=0, le=36_500, description="Days for which what was counted by day is kept; 0 for ever."
    )
    keep_audit: int = Field(
        730, ge=0, le=36_500, description="Days for which entries of the audit log are kept; 0 for ever."
    )
    allow_insecure_endpoints: bool = Field(
        False, description="Development only: http and loopback push endpoints, self-signed certificates."
    )
    push_host_map: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Development only: `jmt17.google.com=127.0.0.1:8443` sends a push host elsewhere, "
        "`fcm.googleapis.com/v1/=127.0.0.1:8443` what begins with that path; comma separated.",
    )

    @field_validator("extra_push_hosts", "push_host_map", "allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("public_url")
    @classmethod
    def _whole(cls, value: str | None) -> str | None:
        # Half an address would be half of every link, and the session's cookie would not be bound to https.
        parts = urlsplit(value or "")
        if value and (parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("write the whole address, as https://push.example.com")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.removeprefix("*") if name.startswith("*.") else name for name in value)
        for name in names:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no host name; write it as push.example.com or .example.com")
        return names

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for place in value:
            try:
                ip_network(place)
            except ValueError as fault:
                raise ValueError(f"{place!r} is no address; write it as 10.0.0.7 or 10.0.0.0/8") from fault
        return value

    @field_validator("push_host_map")
    @classmethod
    def _mapped(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and not info.data.get("allow_insecure_endpoints"):
            raise ValueError("it is for development, and goes with TIDINGS_ALLOW_INSECURE_ENDPOINTS=true")
        for entry in value:
            host, _, address = entry.partition("=")
            if not host or not address:
                raise ValueError(f"{entry!r} leads nowhere; write it as jmt17.google.com=127.0.0.1:8443")
        return value

    @property
    def base_url(self) -> str:
        """The instance's address without a trailing slash."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the caller passes, then the environment, then the TOML file."""
        config = os.environ.get("TIDINGS_CONFIG")
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config))
