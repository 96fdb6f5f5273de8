"""Segments, what people follow, and what conditions call in SQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012_pre_segments"
down_revision = "0011_pre_preferences"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.Text().with_variant(JSONB(), "postgresql")

CAPITALS = (
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦ"
    "ŨŪŬŮŰŲŴŶŸŹŻŽΆΈΉΊΌΎΏΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫςЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРС"
    "ТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪ"
    "ӬӮӰӲӴӶӸӺӼӾԀԂԄԆԈԊԌԎԐԒԔԖԘԚԜԞԠԢԤԦԨԪԬԮ"
)
SMALLS = (
    "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþāăąćĉċčďđēĕėęěĝğġģĥħĩīĭįĳĵķĺļľŀłńņňŋōŏőœŕŗřśŝşšţťŧ"
    "ũūŭůűųŵŷÿźżžάέήίόύώαβγδεζηθικλμνξοπρστυφχψωϊϋσѐёђѓєѕіїјљњћќѝўџабвгдежзийклмнопрс"
    "туфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫ"
    "ӭӯӱӳӵӷӹӻӽӿԁԃԅԇԉԋԍԏԑԓԕԗԙԛԝԟԡԣԥԧԩԫԭԯ"
)

FOLD = f"""
CREATE FUNCTION tidings_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN octet_length(value) = length(value) THEN lower(value COLLATE "C")
    ELSE translate(lower(value COLLATE "C"), '{CAPITALS}', '{SMALLS}') END
$$
"""

MOMENT = """
CREATE FUNCTION tidings_moment(value text) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN m IS NULL OR m[1] = '0000' THEN NULL
    WHEN m[3]::int > extract(day FROM make_date(m[1]::int, m[2]::int, 1) + interval '1 month' - interval '1 day')
      THEN NULL
    ELSE (
      (make_date(m[1]::int, m[2]::int, m[3]::int) - date '1970-01-01')::bigint * 86400
      + coalesce(m[4]::int * 3600 + m[5]::int * 60 + m[6]::int, 0)
      - CASE WHEN length(m[8]) = 6
          THEN (substr(m[8], 1, 1) || '1')::int * (substr(m[8], 2, 2)::int * 3600 + substr(m[8], 5, 2)::int * 60)
          ELSE 0 END
    ) * 1000000 + coalesce(rpad(left(m[7], 6), 6, '0')::int, 0)
  END
  FROM regexp_match(value,
    '^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
    || '(?:[Tt ]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:[.]([0-9]{1,9}))?'
    || '([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?$') AS m
$$
"""

VERSION = """
CREATE FUNCTION tidings_version(value text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE WHEN m IS NULL OR length(value) > 64 THEN NULL ELSE convert_to(
    lpad(m[1], 9, '0') || '.' || lpad(coalesce(m[2], '0'), 9, '0') || '.'
    || lpad(coalesce(m[3], '0'), 9, '0') || '.' || lpad(coalesce(m[4], '0'), 9, '0')
    || CASE WHEN m[5] IS NULL THEN '~' ELSE '-' || (
      SELECT string_agg(
        CASE WHEN part ~ '^[0-9]+$' THEN '0' || lpad(length(digits)::text, 2, '0') || digits ELSE '1' || part END,
        ' ' ORDER BY n)
      FROM (
        SELECT part, n, coalesce(nullif(ltrim(part, '0'), ''), '0') AS digits
        FROM regexp_split_to_table(m[5], '[.]') WITH ORDINALITY AS split(part, n)
      ) AS identifiers
    ) END, 'UTF8') END
  FROM regexp_match(value,
    '^[vV]?([0-9]{1,9})(?:[.]([0-9]{1,9}))?(?:[.]([0-9]{1,9}))?(?:[.]([0-9]{1,9}))?'
    || '(?:-([0-9A-Za-z-]+(?:[.][0-9A-Za-z-]+)*))?(?:[+][0-9A-Za-z.-]+)?$') AS m
$$
"""


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "segments",
        sa.Column("id", BIG, sa.Identity(), nullable=False),
        sa.Column("public_id", sa.Text, nullable=False),
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("filter", JSON, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_segments"),
        sa.UniqueConstraint("public_id", name="uq_segments_public_id"),
        sa.UniqueConstraint("app_id", "name", name="uq_segments_app_id_name"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_segments_app_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "follows",
        sa.Column("app_id", BIG, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("user_external_id", sa.Text, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("app_id", "topic", "user_external_id", name="pk_follows"),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_follows_app_id"),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index("ix_follows_app_id_user_external_id", "follows", ["app_id", "user_external_id", "topic"])
    if op.get_bind().dialect.name == "postgresql":
        for function in (FOLD, MOMENT, VERSION):
            op.execute(sa.DDL(function))  # type: ignore[no-untyped-call]


def downgrade() -> None:
    """Take it back."""
    if op.get_bind().dialect.name == "postgresql":
        for name in ("fold", "moment", "version"):
            op.execute(f"DROP FUNCTION tidings_{name}(text)")
    op.drop_table("follows")
    op.drop_table("segments")
