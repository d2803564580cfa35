"""``quantumctl cleanup`` of a host with Linux bridges: removes what carries quantumd's mark, and nothing else.

Marks: the alias of devices that were made or taken over for networks, and of devices of ports; the name of the tables
of filters. Bridges go first, so that no VM sends through one that has no filters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quantumd.ctl.cleanup import Command, carry_out, run
from quantumd.edge.nft.interfaces import FAMILIES, TABLE
from quantumd.l2.drivers.linuxbridge.names import is_bridge, is_served, named_alias, network_in, port_in

_NFT = "/usr/sbin/nft"


def commands_for(links: Sequence[Mapping[str, Any]], families: Sequence[str]) -> tuple[Command, ...]:
    """Return what removes everything of quantumd's. ``families`` are those that have a table of filters."""
    return (*_without_devices(links), *_without_filters(families))


def _without_devices(links: Sequence[Mapping[str, Any]]) -> Iterator[Command]:
    ours = [str(link["ifname"]) for link in links if network_in(str(link.get("ifalias", ""))) is not None]
    # Devices of tunnels are in bridges.
    for name in sorted(ours, key=lambda each: (is_bridge(each), each)):
        yield Command(f"remove device {name}", ("ip", "link", "delete", name))
    for link in links:
        alias, name = str(link.get("ifalias", "")), str(link["ifname"])
        port_id = port_in(alias) if is_served(alias) else None
        if port_id is not None:
            words = ("ip", "link", "set", name, "alias", named_alias(port_id))
            yield Command(f"remove the mark of device {name}", words)


def _without_filters(families: Sequence[str]) -> Iterator[Command]:
    for family in families:
        yield Command(f"remove the filters of {family}", (_NFT, "delete", "table", family, TABLE))


def clean(is_real: bool) -> int:
    """Remove everything, or only print what would be; return 0, or 1 when a step failed.

    :raises EdgeError: devices or filters cannot be listed.
    """
    links = json.loads(run(("ip", "-j", "link", "show")))
    tables = json.loads(run((_NFT, "-j", "list", "tables")))["nftables"]
    named = {table["family"] for item in tables if (table := item.get("table")) and table["name"] == TABLE}
    return carry_out(commands_for(links, [family for family in FAMILIES if family in named]), is_real)
