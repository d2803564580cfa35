"""A replica of the switch's database: a python-ovs Idl that tells what changed as values, to one thread at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

import ovs.db.idl
from attrs import frozen

from quantumd.edge.ovsdb.interfaces import BridgeRow, InterfaceRow
from quantumd.edge.ovsdb.session import SwiftSession

_STRINGS = {"key": "string", "min": 0, "max": "unlimited"}
_STRING_MAP = {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
_OPTIONAL_STRING = {"key": "string", "min": 0, "max": 1}
_REFERENCES = {"key": "uuid", "min": 0, "max": "unlimited"}

# What we read, as ovs-vswitchd.conf.db(5) has it since OVS 2.0. Knowing it spares asking the database for its schema
# before the first connection; the functional tests compare it with that of the installed switch.
COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "Bridge": {
        "name": "string",
        "datapath_type": "string",
        "fail_mode": _OPTIONAL_STRING,
        "protocols": _STRINGS,
        "external_ids": _STRING_MAP,
        "ports": _REFERENCES,
        "controller": _REFERENCES,
    },
    "Port": {"name": "string"},
    "Interface": {
        "name": "string",
        "external_ids": _STRING_MAP,
        "ofport": {"key": "integer", "min": 0, "max": 1},
        "error": _OPTIONAL_STRING,
    },
}

# On the worker the interpreter's lock is given away after this many rows, for long enough that another thread takes it.
_ROWS_PER_BREATH = 16
_BREATH_SECONDS = 0.00005


@frozen
class InterfaceFact:
    """An interface is now so; ``row`` is None when it went."""

    uuid: UUID
    name: str
    row: InterfaceRow | None


@frozen
class BridgeFact:
    """A bridge is now so; ``row`` is None when it went. ``ports`` are the database's atoms of port references."""

    uuid: UUID
    name: str
    row: BridgeRow | None
    ports: tuple[Any, ...]


@frozen
class PortFact:
    """A port exists or, unless ``is_there``, went."""

    uuid: UUID
    name: str
    is_there: bool


@frozen
class Loaded:
    """The whole content has been told; rows that are not ``present`` went while nobody told us."""

    present: frozenset[UUID]


Fact: TypeAlias = InterfaceFact | BridgeFact | PortFact | Loaded


class Replica(ovs.db.idl.Idl):  # type: ignore[misc]
    """The Idl of the columns that we read. Facts, not rows, leave it."""

    def __init__(self, remote: str) -> None:
        helper = ovs.db.idl.SchemaHelper(schema_json=_schema())
        for table, columns in COLUMNS.items():
            helper.register_columns(table, list(columns))
        super().__init__(remote, helper, probe_interval=0)
        self._session.close()
        self._session: SwiftSession = SwiftSession(remote)
        self._facts: list[Fact] = []
        self._loaded_in: int | None = None
        self._breathes = False
        self._rows_since_breath = 0

    @property
    def session(self) -> SwiftSession:
        """The connection."""
        return self._session

    @property
    def is_current(self) -> bool:
        """Whether it is connected and follows every change."""
        return self.state == self.IDL_S_MONITORING and bool(self._session.is_connected())

    def read(self, allowance_bytes: int | None, breathes: bool = False) -> list[Fact]:
        """Work on what has come, at most so many bytes; return what it tells, in the database's order.

        ``breathes`` is for a thread that shares the interpreter with the reactor.
        """
        self._breathes = breathes
        self.session.allowance_bytes = allowance_bytes
        self.run()
        self._notice_load()
        facts, self._facts = self._facts, []
        return facts

    def notify(self, event: str, row: ovs.db.idl.Row, updates: ovs.db.idl.Row | None = None) -> None:
        """Note a row's change; called by the Idl after each update as a whole."""
        self._facts.append(_TELL[row._table.name](row.uuid, row._data, event == ovs.db.idl.ROW_DELETE))

    def cooperative_yield(self) -> None:
        """Let the reactor have the interpreter now and then; called by the Idl for each row."""
        self._rows_since_breath += 1
        if self._breathes and self._rows_since_breath >= _ROWS_PER_BREATH:
            self._rows_since_breath = 0
            time.sleep(_BREATH_SECONDS)

    def _notice_load(self) -> None:
        if not self.is_current:
            self._loaded_in = None
        elif self._loaded_in != self._session.get_seqno():
            self._loaded_in = self._session.get_seqno()
            self._facts.append(Loaded(frozenset(uuid for table in self.tables.values() for uuid in table.rows)))

    def _Idl__parse_update(self, update: Any, version: str, tables: Any = None) -> None:
        # The Idl's own logs an update that does not fit what it knows (into nowhere) and goes on with wrong content.
        # Here it raises, and the connection is made anew.
        self._Idl__do_parse_update(update, version, tables or self.tables)


def _schema() -> dict[str, Any]:
    tables = {
        table: {"columns": {name: {"type": type_} for name, type_ in columns.items()}, "isRoot": table == "Bridge"}
        for table, columns in COLUMNS.items()
    }
    return {"name": "Open_vSwitch", "version": "7.0.0", "tables": tables}


# Row's attributes are asked for by name only while no transaction is open, at ten times the cost; ``_data`` maps each
# column to its datum, whose ``values`` maps atoms to atoms (of a map) or to None (of a set or a single value).


def _tell_interface(uuid: UUID, data: Any, is_gone: bool) -> InterfaceFact:
    name = _single(data["name"])
    if is_gone:
        return InterfaceFact(uuid, name, None)
    row = InterfaceRow(name, _mapping(data["external_ids"]), _single(data["ofport"]), _single(data["error"]))
    return InterfaceFact(uuid, name, row)


def _tell_bridge(uuid: UUID, data: Any, is_gone: bool) -> BridgeFact:
    name = _single(data["name"])
    if is_gone:
        return BridgeFact(uuid, name, None, ())
    row = BridgeRow(
        name=name,
        datapath_type=_single(data["datapath_type"]) or "system",
        fail_mode=_single(data["fail_mode"]),
        protocols=frozenset(atom.value for atom in data["protocols"].values),
        external_ids=_mapping(data["external_ids"]),
        has_controller=bool(data["controller"].values),
    )
    # The Idl changes the set of ports in place, so take a copy; the atoms never change.
    return BridgeFact(uuid, name, row, tuple(data["ports"].values))


def _tell_port(uuid: UUID, data: Any, is_gone: bool) -> PortFact:
    return PortFact(uuid, _single(data["name"]), not is_gone)


_TELL: Mapping[str, Callable[[UUID, Any, bool], Fact]] = {
    "Interface": _tell_interface,
    "Bridge": _tell_bridge,
    "Port": _tell_port,
}


def _single(datum: Any) -> Any:
    return next((atom.value for atom in datum.values), None)


def _mapping(datum: Any) -> Mapping[str, str]:
    return MappingProxyType({key.value: value.value for key, value in datum.values.items()})
