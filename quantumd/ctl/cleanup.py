"""``quantumctl cleanup``: removes from this host and its Open vSwitch what carries quantumd's mark, and nothing else.

Marks: ``external_ids:quantumd-owned=true`` on bridges and ports that quantumd made; keys ``quantumd-*`` on others' rows
that it noted something on; the owner byte in the cookies of flows; a router's id in ``external_ids:quantumd-owner`` of
its devices, and the names of network namespaces, of routers and of services. The database is not touched.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from quantumd.config import L2Settings
from quantumd.errors import EdgeError, EdgeTimeout, EdgeUnavailable
from quantumd.l3.names import PREFIX, router_in
from quantumd.model.service_place import NAMESPACE_ENDING

OWNED_KEY = "quantumd-owned"
OWNER_KEY = "quantumd-owner"
OUR_KEYS = "quantumd-"
NAMESPACES = Path("/run/netns")
OUR_COOKIES = "cookie=0x5100000000000000/0xff00000000000000"
"""Flows of quantumd: the first byte of the cookie is 0x51."""

_LIMIT_SECONDS = 30.0
_MARKED_TABLES = ("Bridge", "Port", "Interface", "Open_vSwitch")


@frozen
class Row:
    """A row of the switch's database: ``name`` is its UUID for the table without names."""

    table: str
    uuid: str
    name: str
    external_ids: Mapping[str, str]

    @property
    def is_owned(self) -> bool:
        """Whether quantumd made it; what is plugged of a router is."""
        return self.external_ids.get(OWNED_KEY) == "true" or OWNER_KEY in self.external_ids


@frozen
class Command:
    """One program call and what it is for."""

    purpose: str
    words: tuple[str, ...]


def commands_for(
    rows: Sequence[Row], bridges_with_our_flows: Sequence[str], integration_bridge: str, run_dir: str
) -> tuple[Command, ...]:
    """Return what removes everything of quantumd's, in an order in which no step opens what another closes.

    Ports go before flows, flows before marks; bridges of our own go last, with whatever is plugged into them.
    """
    owned_bridges = {row.name for row in rows if row.table == "Bridge" and row.is_owned}
    return (
        *_remove_ports(rows, owned_bridges, run_dir),
        *_remove_flows(bridges_with_our_flows, owned_bridges, integration_bridge, run_dir),
        *_remove_marks(rows, run_dir),
        *(
            Command(f"remove bridge {name}", _vsctl(run_dir, "--if-exists", "del-br", name))
            for name in sorted(owned_bridges)
        ),
    )


def _remove_ports(rows: Sequence[Row], owned_bridges: set[str], run_dir: str) -> Iterator[Command]:
    names = {row.name for row in rows if row.table in ("Port", "Interface") and row.is_owned}
    for name in sorted(names - owned_bridges):
        yield Command(f"remove port {name}", _vsctl(run_dir, "--if-exists", "del-port", name))


def _remove_flows(bridges: Sequence[str], owned: set[str], integration: str, run_dir: str) -> Iterator[Command]:
    for bridge in sorted(set(bridges) - owned):
        yield Command(f"remove flows of quantumd from {bridge}", _ofctl(run_dir, "del-flows", bridge, OUR_COOKIES))
        if bridge == integration:
            # Groups and meters carry no cookie; on the integration bridge all are quantumd's.
            yield Command(f"remove groups from {bridge}", _ofctl(run_dir, "del-groups", bridge))
            yield Command(f"remove meters from {bridge}", _ofctl(run_dir, "del-meters", bridge))


def _remove_marks(rows: Sequence[Row], run_dir: str) -> Iterator[Command]:
    for row in rows:
        keys = sorted(key for key in row.external_ids if key.startswith(OUR_KEYS))
        if keys and not row.is_owned:
            words = ("--if-exists", "remove", row.table, row.uuid, "external_ids", *keys)
            yield Command(f"remove {len(keys)} marks from {row.table} {row.name}", _vsctl(run_dir, *words))


def namespace_commands(names: Sequence[str], prefix: str = PREFIX) -> tuple[Command, ...]:
    """Return what removes the namespaces of routers and of services among these, with all that is in them."""
    ours = sorted(name for name in names if router_in(name, prefix) or name == f"{prefix}{NAMESPACE_ENDING}")
    return tuple(Command(f"remove namespace {name}", ("ip", "netns", "delete", name)) for name in ours)


def clean(settings: L2Settings, is_real: bool, prefix: str = PREFIX, namespaces: Path = NAMESPACES) -> int:
    """Remove everything, or only print what would be; return 0, or 1 when a step failed.

    :param prefix: what the names of routers' namespaces begin with.
    :param namespaces: the folder in which network namespaces have names.
    :raises EdgeUnavailable: Open vSwitch does not answer.
    """
    run_dir = settings.ovs_run_dir
    rows = read_rows(run_dir)
    bridges = [row.name for row in rows if row.table == "Bridge" and _has_our_flows(run_dir, row.name)]
    commands = commands_for(rows, bridges, settings.integration_bridge, run_dir)
    names = [path.name for path in namespaces.iterdir()] if namespaces.is_dir() else []
    return carry_out((*commands, *namespace_commands(names, prefix)), is_real)


def carry_out(commands: Sequence[Command], is_real: bool) -> int:
    """Run the commands, or only print them; return 0, or 1 when one failed."""
    if not commands:
        print("there is nothing of quantumd's on this host")
    failed = 0
    for command in commands:
        print(command.purpose if is_real else f"would {command.purpose}:  {shlex.join(command.words)}")
        failed += is_real and not _succeeds(command)
    return 1 if failed else 0


def read_rows(run_dir: str) -> tuple[Row, ...]:
    """Read every row that can carry a mark."""
    return tuple(row for table in _MARKED_TABLES for row in _read_table(run_dir, table))


def _read_table(run_dir: str, table: str) -> Iterator[Row]:
    columns = ("_uuid", "external_ids") if table == "Open_vSwitch" else ("_uuid", "external_ids", "name")
    text = run(_vsctl(run_dir, "--format=json", f"--columns={','.join(columns)}", "list", table))
    document = json.loads(text)
    for cells in document["data"]:
        cell: dict[str, Any] = dict(zip(document["headings"], cells, strict=True))
        uuid = cell["_uuid"][1]
        yield Row(table, uuid, cell.get("name", uuid), dict(cell["external_ids"][1]))


def _has_our_flows(run_dir: str, bridge: str) -> bool:
    try:
        return "cookie=" in run(_ofctl(run_dir, "dump-flows", bridge, OUR_COOKIES))
    except EdgeError as error:
        # Without ovs-vswitchd there are no flows; bridges and ports can be removed all the same.
        print(f"cannot read the flows of {bridge}: {error}")
        return False


def _succeeds(command: Command) -> bool:
    try:
        run(command.words)
    except EdgeError as error:
        print(f"  failed: {error}")
        return False
    return True


def _vsctl(run_dir: str, *words: str) -> tuple[str, ...]:
    # --no-wait: a switch that is down must not keep its database from being cleaned.
    return ("ovs-vsctl", f"--db=unix:{run_dir}/db.sock", "--timeout=10", "--no-wait", *words)


def _ofctl(run_dir: str, command: str, bridge: str, *words: str) -> tuple[str, ...]:
    return ("ovs-ofctl", "-O", "OpenFlow14", "--timeout=10", command, f"unix:{run_dir}/{bridge}.mgmt", *words)


def run(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_LIMIT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise EdgeUnavailable(f"{words[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise EdgeTimeout(f"{words[0]} did not answer within {_LIMIT_SECONDS} s") from None
    if done.returncode != 0:
        raise EdgeUnavailable(done.stderr.strip() or f"{words[0]} failed with status {done.returncode}")
    return done.stdout
