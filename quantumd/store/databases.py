"""What the store needs to know of a database product. One module each implements it: sqlite, postgresql, mariadb."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine

LOCK_TIMEOUT_SECONDS = 10
"""How long a change waits for its turn while another process writes."""

CONNECT_TIMEOUT_SECONDS = 5
"""How long opening a connection may take."""

UPGRADE_WAIT_SECONDS = 300
"""How long a process that starts waits for another that upgrades the tables."""

IDLE_TIMEOUT_SECONDS = 60
"""After how long a server ends a transaction in which nothing happens: its process hangs, and others want to write."""


class Session(Protocol):
    """What a write transaction does below SQLAlchemy, on a connection on which it is open.

    A change is shut out from what another is doing, in whichever process: transactions that write take turns, and the
    turn ends with the transaction. So positions of the journal are committed in their order, and what a change has read
    stays true until it is committed.
    """

    @property
    def is_open(self) -> bool:
        """Whether the database still has the transaction; after a full disk, say, it has ended it by itself."""

    @property
    def may_commit(self) -> bool:
        """Whether the transaction is open and a commit would keep it."""

    def take_turn(self) -> None:
        """Wait for the turn. The first thing in the transaction, so that what is read afterwards is the newest."""

    def mark(self) -> object:
        """Note who commits, and return what ``is_kept`` recognises the commit by; None where no doubt can arise."""

    def is_kept(self, mark: object) -> bool:
        """Whether the transaction that made this mark was committed. Asked in another, whose turn it is."""

    def append(self, row: tuple[Any, ...]) -> int:
        """Append to the journal and return the position.

        ``row``: at, resource, resource_id, project_id, request_id, operation, before, after, user_id,
        user_project_id.
        """

    def add_up(self, project_id: str, resource: str, step: int) -> None:
        """Add to the number of what the project has of the resource; the first step makes it."""

    def save(self, depth: int) -> None:
        """Make the savepoint of this depth."""

    def keep(self, depth: int) -> None:
        """Keep what was done since the savepoint of this depth, which is not named again before it is made again."""

    def undo(self, depth: int) -> None:
        """Undo what was done since the savepoint of this depth, and drop it."""

    def roll_back(self) -> None:
        """Undo what is open, also where SQLAlchemy believes that nothing is."""


class Database(Protocol):
    """A database product."""

    name: str
    """As SQLAlchemy names its dialect."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What its driver raises where it is used without SQLAlchemy."""

    def writer_engine(self, url: URL, synchronous: str) -> Engine:
        """Return an engine for changes."""

    def reader_engine(self, url: URL) -> Engine:
        """Return an engine whose transactions refuse to write and see one state of the database."""

    def upgrade_engine(self, url: URL) -> Engine:
        """Return an engine for upgrades of the tables, which may take long."""

    def session(self, connection: Connection) -> Session:
        """Return what a write transaction on this connection needs."""

    def is_conflict(self, error: BaseException) -> bool:
        """Whether the database ended a change in favour of another, so that it may succeed when it is run again."""

    def is_loss(self, error: BaseException) -> bool:
        """Whether the connection is gone."""

    def lock_schema(self, connection: Connection) -> None:
        """Keep other processes from upgrading the tables, until the transaction or the connection ends.

        :raises SettingsError: the database is not one that the tables may be made in.
        """

    def fitted(self, statement: str) -> str:
        """Return a statement of an upgrade as this database needs it."""
