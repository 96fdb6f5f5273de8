"""The two column types that both databases store differently from how Python sees them: moments and JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Big = BigInteger().with_variant(Integer, "sqlite")
"""64 bits. SQLite has one kind of integer, and STRICT tables take no other name for it."""

Small = SmallInteger().with_variant(Integer, "sqlite")
"""16 bits where the database knows them."""

Bytewise = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by its bytes on both, so that what begins alike is one range of an index."""


def microseconds(moment: datetime) -> int:
    """Give an aware moment as whole microseconds since 1970 in UTC, exactly."""
    return (moment - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """Give microseconds since 1970 as an aware moment in UTC."""
    return EPOCH + timedelta(microseconds=value)


class Moment(TypeDecorator[datetime]):
    """An aware moment, stored as microseconds since 1970 so that both databases sort and compare it alike."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored type."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a moment into what is stored."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Turn what is stored into a moment."""
        return None if value is None else moment(value)


class Json(TypeDecorator[Any]):
    """A JSON document: text on SQLite, JSONB on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Encode for SQLite; PostgreSQL's driver encodes by itself."""
        if value is None or dialect.name == "postgresql":
            return value
        return msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        """Decode for SQLite; PostgreSQL's driver decodes by itself."""
        if value is None or dialect.name == "postgresql":
            return value
        return msgspec.json.decode(value)
