"""What every table has in common: metadata, names of constraints, the columns of standard attributes.

Times are UTC text ``YYYY-MM-DDTHH:MM:SSZ``; lists and objects are JSON text. ``record_version`` is the journal position
of the last transaction that changed what hosts must know of the row; ``revision_number`` is the API's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

POSITION = BigInteger().with_variant(Integer, "sqlite")
"""The type of a position in the journal."""


def id_column() -> Column[Any]:
    """A UUID that names the row."""
    return Column("id", String(36), primary_key=True)


def project_column() -> Column[Any]:
    """The project that the row belongs to."""
    return Column("project_id", String(255), nullable=False, index=True)


def described_columns() -> tuple[Column[Any], ...]:
    """The columns of the standard attributes: description, times, revision."""
    return (
        Column("description", String(255), nullable=False),
        Column("created_at", String(20), nullable=False),
        Column("updated_at", String(20), nullable=False),
        Column("revision_number", Integer, nullable=False),
    )


def standard_columns() -> tuple[Column[Any], ...]:
    """Id, project, name and the columns of the standard attributes."""
    return (id_column(), project_column(), Column("name", String(255), nullable=False), *described_columns())
