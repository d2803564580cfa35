"""The bars of the appliance: each measured on the real thing, printed as one table.

Needs root and Open vSwitch; runs a private one in a namespace of its own. ``python -m bench.bars [NAME…]`` runs those
named.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable, Iterator

from bench.bars.api import api_bar, mariadb_bar, postgresql_bar
from bench.bars.bed import Row
from bench.bars.creates import creates_bar
from bench.bars.dhcp import dhcp_bar
from bench.bars.dns import dns_bar
from bench.bars.events import events_bar
from bench.bars.faults import faults_bar
from bench.bars.identity import identity_bar
from bench.bars.metadata import metadata_bar
from bench.bars.multihost import multihost_bar
from bench.bars.plug import plug_bar
from bench.bars.restarts import daemon_bar, switch_bar
from bench.bars.routers import routers_bar
from bench.bars.start import start_bar
from bench.bars.storms import storms_bar
from bench.bars.tunnels import tunnels_bar

BARS: dict[str, Callable[[], Iterator[Row]]] = {
    "start": start_bar,
    "plug": plug_bar,
    "creates": creates_bar,
    "api": api_bar,
    "api-postgresql": postgresql_bar,
    "api-mariadb": mariadb_bar,
    "identity": identity_bar,
    "dhcp": dhcp_bar,
    "dns": dns_bar,
    "events": events_bar,
    "daemon": daemon_bar,
    "switch": switch_bar,
    "faults": faults_bar,
    "metadata": metadata_bar,
    "multihost": multihost_bar,
    "storms": storms_bar,
    "routers": routers_bar,
    "tunnels": tunnels_bar,
}


def main(names: list[str]) -> None:
    """Run bars and print the table as it grows."""
    print(f"{'bar':<72} {'limit':<26} {'measured':<28} met")
    for name in names or list(BARS):
        _show(_speed())
        for row in BARS[name]():
            _show(row)
        _show(_speed())


def _show(row: Row) -> None:
    met = {True: "yes", False: "NO", None: ""}[row.is_met]
    print(f"{row.bar:<72} {row.limit:<26} {row.figure:<28} {met}", flush=True)


def _speed() -> Row:
    """How fast the machine is at the moment: on shared hardware the same work takes half as long, or twice."""
    taken = min(timeit.repeat(lambda: sum(number * number for number in range(100_000)), number=3, repeat=5)) / 3
    return Row("(a fixed loop of Python, for comparing runs)", "-", f"{taken * 1000:.1f} ms", None)


if __name__ == "__main__":
    main(sys.argv[1:])
