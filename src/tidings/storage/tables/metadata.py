"""What all tables are part of, and the columns that many of them have."""

from __future__ import annotations

from sqlalchemy import Column, Identity, MetaData, text

from tidings.storage.columns import Big

metadata = MetaData()


def id_column() -> Column[int]:
    """Give a surrogate key; no number comes twice, since a notification freezes the highest id of its audience."""
    return Column("id", Big, Identity(), nullable=False)


def count_column(name: str) -> Column[int]:
    """Give a column that counts from 0."""
    return Column(name, Big, nullable=False, server_default=text("0"))
