"""``quantumctl host``: what hosts last said of themselves, and what is wanted of them.

Read from the database, which is there when no API process is: an operator needs it exactly then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from attrs import field, frozen
from sqlalchemy import Connection, Row, and_, func, select
from sqlalchemy.exc import SQLAlchemyError

from quantumd.api.hosts.compiled import records_of_host
from quantumd.api.hosts.hearing import API_ROLE
from quantumd.compile.snapshot import ROLES
from quantumd.config import Settings
from quantumd.errors import EdgeUnavailable, QuantumdError, SettingsError
from quantumd.model.host_life import HostLife
from quantumd.model.records import VERSIONED_BY_READING
from quantumd.model.role_state import MOST_FAULTS, Fault
from quantumd.store.connecting import sentence_of
from quantumd.store.engine import database_url, reader_engine, shown_url
from quantumd.store.schema import HEAD, current_revision
from quantumd.store.tables import hosts, ports, realisations
from quantumd.store.tables.services import agents

_HEADINGS: Final = ("HOST", "ROLE", "STATE", "VERSION", "ZONE", "ADMIN", "PORTS", "WAITING", "FAILING")


class UnknownHost(QuantumdError):
    """No role of a host of this name ever reported."""

    def __init__(self, host: str) -> None:
        super().__init__(f"no role of a host {host} has ever reported; quantumctl host list shows those that have")


@frozen
class RoleRow:
    """A role of a host: what it last said, and what operators set. ``waiting`` None: it does not say how far it is."""

    host: str
    role: str
    version: str
    reported_at: datetime
    zone: str = ""
    is_enabled: bool | None = None
    realised: int | None = None
    waiting: int | None = None
    trouble: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def failing(self) -> int:
        """How much the role says is not in order."""
        return len(self.faults) + bool(self.trouble)


@frozen
class HostDetails:
    """A host: its roles, its ports by status, and by role what is wanted and which ports have faults."""

    roles: tuple[RoleRow, ...]
    ports: Mapping[str, int]
    wanted: Mapping[str, int]
    port_faults: Mapping[str, tuple[Fault, ...]] = field(factory=dict)


def show_list(settings: Settings) -> int:
    """Print all hosts; return 0."""
    with reading(settings) as connection:
        rows, counts = read_roles(connection), _ports_by_host(connection)
    for line in listing(rows, counts, HostLife(settings.agents.down_seconds), datetime.now(UTC)):
        print(line)
    return 0


def show_host(settings: Settings, host: str) -> int:
    """Print one host; return 0. UnknownHost."""
    with reading(settings) as connection:
        details = read_host(connection, host)
    for line in description(host, details, HostLife(settings.agents.down_seconds), datetime.now(UTC)):
        print(line)
    return 0


def listing(rows: Sequence[RoleRow], ports_of: Mapping[str, int], life: HostLife, now: datetime) -> Iterator[str]:
    """Yield a table of roles, and what an operator must know to read it."""
    table = [_HEADINGS, *(_cells(row, ports_of.get(row.host, 0), life, now) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for cells in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    heard = [row.reported_at for row in rows if row.role == API_ROLE]
    if heard and max(heard) < life.oldest(now):
        yield f"no API process lives since {_text(max(heard))}: nobody hears what hosts report"


def description(host: str, details: HostDetails, life: HostLife, now: datetime) -> Iterator[str]:
    """Yield the lines that describe one host."""
    total = sum(details.ports.values())
    by_status = ", ".join(f"{status} {count}" for status, count in sorted(details.ports.items()))
    yield f"{host}: {total} ports{f' ({by_status})' if by_status else ''}"
    for row in details.roles:
        yield f"{row.role}: {_state(row, life, now)}, last reported {_text(row.reported_at)}"
        yield f"  version {row.version}{_of_operators(row)}"
        if row.role in details.wanted:
            yield f"  {_progress(row, details.wanted[row.role])}"
        if row.trouble:
            yield f"  cannot look: {row.trouble}"
        for fault in (*row.faults, *details.port_faults.get(row.role, ())):
            yield f"  {fault.kind} {fault.id}: {fault.why}"


def read_roles(connection: Connection, host: str | None = None) -> tuple[RoleRow, ...]:
    """Return roles that reported, without those that an operator deleted as agents."""
    statement = (
        select(hosts, agents.c.availability_zone, agents.c.admin_state_up)
        .join(agents, and_(agents.c.host == hosts.c.host, agents.c.role == hosts.c.role), isouter=True)
        .where((hosts.c.role == API_ROLE) | agents.c.id.is_not(None))
        .order_by(hosts.c.host, hosts.c.role)
    )
    if host is not None:
        statement = statement.where(hosts.c.host == host)
    return tuple(_role_row(row) for row in connection.execute(statement))


def read_host(connection: Connection, host: str) -> HostDetails:
    """Return all that is known of a host. UnknownHost."""
    roles = read_roles(connection, host)
    if not roles:
        raise UnknownHost(host)
    statement = select(ports.c.status, func.count()).where(ports.c.host_id == host).group_by(ports.c.status)
    by_status = {row[0]: row[1] for row in connection.execute(statement)}
    known = [row.role for row in roles if row.role in ROLES]
    wanted = {role: _wanted(connection, host, role) for role in known}
    told = {(row.role, fault.id) for row in roles for fault in row.faults}
    return HostDetails(roles, by_status, wanted, {role: _port_faults(connection, host, role, told) for role in known})


def _wanted(connection: Connection, host: str, role: str) -> int:
    records = records_of_host(connection, host, role, None)
    return max((record.version for record in records if record.kind not in VERSIONED_BY_READING), default=0)


def _port_faults(connection: Connection, host: str, role: str, told: set[tuple[str, str]]) -> tuple[Fault, ...]:
    statement = (
        select(realisations.c.port_id, realisations.c.fault)
        .where(realisations.c.host == host, realisations.c.role == role, realisations.c.fault.is_not(None))
        .order_by(realisations.c.port_id)
        .limit(MOST_FAULTS)
    )
    found = (Fault("port", row.port_id, row.fault) for row in connection.execute(statement))
    return tuple(fault for fault in found if (role, fault.id) not in told)


def _ports_by_host(connection: Connection) -> dict[str, int]:
    statement = select(ports.c.host_id, func.count()).where(ports.c.host_id != "").group_by(ports.c.host_id)
    return {row[0]: row[1] for row in connection.execute(statement)}


def _role_row(row: Row[Any]) -> RoleRow:
    return RoleRow(
        row.host,
        row.role,
        row.quantumd_version,
        datetime.fromisoformat(row.reported_at),
        row.availability_zone or "",
        row.admin_state_up,
        row.position,
        row.waiting,
        row.trouble or "",
        tuple(Fault(*each) for each in orjson.loads(row.faults or "[]")),
    )


def _cells(row: RoleRow, count: int, life: HostLife, now: datetime) -> tuple[str, ...]:
    is_api = row.role == API_ROLE
    waiting = ("-", "-") if row.waiting is None else (str(row.waiting), str(row.failing))
    ports_here = "-" if is_api else str(count)
    return (
        row.host, row.role, _state(row, life, now), row.version, row.zone or "-", _admin(row), ports_here, *waiting
    )  # fmt: skip


def _state(row: RoleRow, life: HostLife, now: datetime) -> str:
    return "alive" if row.reported_at >= life.oldest(now) else f"silent since {_text(row.reported_at)}"


def _admin(row: RoleRow) -> str:
    return "-" if row.is_enabled is None else "up" if row.is_enabled else "down"


def _of_operators(row: RoleRow) -> str:
    return "" if row.is_enabled is None else f", availability zone {row.zone}, admin state {_admin(row)}"


def _progress(row: RoleRow, wanted: int) -> str:
    if row.realised is None or row.waiting is None:
        return f"wanted {wanted}, realised: this version does not say"
    # What is gone meanwhile has taken its position along.
    return f"wanted {wanted}, realised {row.realised}, {row.waiting} keys wait or fail"


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """Make a transaction that only reads, on the database of the settings. SettingsError, EdgeUnavailable."""
    url = database_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        # Opening it would make it.
        raise SettingsError(f"there is no database {url.database}: an API process has it, with its settings")
    engine = reader_engine(url)
    try:
        with engine.connect() as connection:
            revision = current_revision(connection)
            if revision != HEAD:
                raise SettingsError(f"the database is of version {revision}, and this quantumctl reads {HEAD}")
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise EdgeUnavailable(f"the database {shown_url(url)} cannot be read: {sentence_of(error)}") from None
    finally:
        engine.dispose()
