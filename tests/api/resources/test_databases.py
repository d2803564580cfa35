"""The tests of resources once more, on PostgreSQL and on MariaDB: those where databases may differ, in a soak all."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import pytest

import tests.api.extensions
import tests.api.hosts
import tests.api.resources
from tests.api.resources.case import ResourceCase
from tests.bed.counts import is_soak
from tests.bed.databases import SERVERS, lacking

SAMPLE = (
    *("test_guards", "test_isolation", "test_lists", "test_networks", "test_pages", "test_ports", "test_subnets"),
    *(
        "test_conntrack_helpers",
        "test_ndp_proxies",
        "test_port_forwardings",
        "test_qos_guarantees",
        "test_router_hosts",
        "test_router_statuses",
    ),
    "test_segments_resource",
)
"""The modules that every run takes: conflicts, retries, filters, sorting, scopes, ranges, sums, segments."""

OF_SQLITE = frozenset({"CountableTests", "PlanTests", "StatusLaws"})
"""What looks at how SQLite finds its way, and a law: Hypothesis takes no example of one class for another."""


def _modules() -> Iterator[ModuleType]:
    for package in (tests.api.resources, tests.api.extensions, tests.api.hosts):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            name = module.name.rpartition(".")[2]
            if name.startswith("test_") and module.name != __name__ and (name in SAMPLE or is_soak()):
                yield import_module(module.name)


def _cases() -> Iterator[tuple[str, type[ResourceCase]]]:
    for module in _modules():
        for name, value in vars(module).items():
            is_case = isinstance(value, type) and issubclass(value, ResourceCase)
            if is_case and value.__module__ == module.__name__ and name not in OF_SQLITE:
                yield f"{name}_{module.__name__.rpartition('.')[2].removeprefix('test_')}", value


def _on_servers() -> Iterator[tuple[str, type[ResourceCase]]]:
    for name, case in _cases():
        for server in SERVERS:
            words = {"database": server, "skip": lacking(server), "__doc__": case.__doc__, "__module__": __name__}
            made = type(f"{name}_{server}", (case,), words)
            yield made.__name__, pytest.mark.time_limit(300)(made)


globals().update(_on_servers())
