"""What every repository works with: the connection of its transaction, the database's dialect, the sealer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select

from tidings.lib.sealed import Sealer
from tidings.storage.dialects import Dialect

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Scope:
    """One transaction's means; a repository neither begins nor ends the transaction."""

    connection: Connection
    dialect: Dialect
    sealer: Sealer
