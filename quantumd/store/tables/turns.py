"""Whose turn it is to write, where the database has no lock of its own for that."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from quantumd.store.tables.base import metadata

TURN = "turn"
"""The name of the row that whoever writes holds until the commit."""

turns = Table(
    "turns",
    metadata,
    Column("name", String(36), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("at", String(20), nullable=False),
)
"""The turn itself, and a row of each writer with the number of its last transaction. Only MariaDB's store uses it."""
