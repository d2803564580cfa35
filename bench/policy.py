"""What asking the rules costs: ``python -m bench.policy [PORTS]``.

Every row is measured with the rules and without (a context bound to none, attributes taken as seen), in turns, on a
database in memory; the times are medians of CPU time on this thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import thread_time
from typing import Any

from quantumd.api.attribute_map import attribute_map_of
from quantumd.api.collection import to_create
from quantumd.api.listing import list_chunks
from quantumd.api.policy.guard import Guard, guard_of
from quantumd.api.policy.rules import default_policy
from quantumd.api.resource import Query
from quantumd.api.views import Shape, Views, views_of
from quantumd.model.context import Context
from tests.api.resources.bed import ALICE, Bed

TURNS = 21
PORTS = 10_000


def compare(name: str, turns: int, repeat: int, ruled: Callable[[], Any], free: Callable[[], Any]) -> None:
    """Print a row: milliseconds each way."""
    times: Mapping[str, list[float]] = {"ruled": [], "free": []}
    for _ in range(turns):
        for key, run in (("ruled", ruled), ("free", free)):
            begin = thread_time()
            for _ in range(repeat):
                run()
            times[key].append((thread_time() - begin) / repeat * 1000)
    with_rules, without = (median(times[key]) for key in ("ruled", "free"))
    print(f"| {name} | {with_rules:.3f} | {without:.3f} | {with_rules - without:+.3f} |", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Make the ports and measure."""
    number = int(arguments[0]) if arguments else PORTS
    bed = Bed()
    network_id, _ = bed.network_with_subnet("10.0.0.0/8", ALICE)
    for begin in range(0, number, 1000):
        many = [{"network_id": network_id, "name": f"p{begin + each}"} for each in range(min(1000, number - begin))]
        bed.create_many("port", many, ALICE)
    resource = next(each for each in bed.served.resources if each.member == "port")
    guard = guard_of(resource, default_policy())
    views = views_of(resource, guard)
    print("| ms of CPU | with rules | without | difference |\n|---|---|---|---|")
    _reads(bed, resource.operations, views, number)
    _creates(bed, guard, network_id)
    bed.close()


def _reads(bed: Bed, operations: Any, views: Views, number: int) -> None:
    everything = Shape((), None, True)

    def listed(context: Context, shape: Callable[[Context], Shape]) -> int:
        batches = operations.list(bed.connection, context, Query())
        return sum(len(chunk) for chunk in list_chunks("ports", batches, shape(context)))

    def shown(context: Context, shape: Callable[[Context], Shape]) -> Any:
        return shape(context).apply(operations.show(bed.connection, context, port_id))

    port_id = bed.listed("port", ALICE)[0]["id"]
    bind = default_policy().bind
    compare(f"list of {number} ports", TURNS, 1, lambda: listed(bind(ALICE), views.shape), lambda: listed(ALICE, _free))
    compare("show of a port", TURNS, 200, lambda: shown(bind(ALICE), views.shape), lambda: shown(ALICE, _free))
    assert everything == _free(ALICE)


def _free(context: Context) -> Shape:
    return Shape((), None, True)


def _creates(bed: Bed, guard: Guard, network_id: str) -> None:
    attributes = attribute_map_of(guard.resource)
    given = {"network_id": network_id, "name": "x", "device_id": "d", "fixed_ips": [{"ip_address": "10.9.9.9"}]}
    bind = default_policy().bind

    def ruled() -> None:
        context = bind(ALICE)
        _, asked = to_create(attributes, guard, context, [given])
        for question, body in asked:
            guard.require_create(bed.tx(), context, question, body, "")

    compare("what a create asks (four rules)", TURNS, 200, ruled, lambda: attributes.for_create(ALICE, given))


if __name__ == "__main__":
    main(sys.argv[1:])
