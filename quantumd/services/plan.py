"""The deeds from what is there of the place of services to what must be there. Pure.

The device is plugged last, and one that is made anew is unplugged first: the switch does not notice that another one
of its name has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from attrs import field, frozen

from quantumd.converge.plan import NOTHING, Key, Plan, Stage
from quantumd.edge.netns import interfaces as i
from quantumd.model.service_place import DEVICE_MAC, INNER_DEVICE, OUTER_DEVICE, ROUTER_IPV4, ROUTER_IPV6
from quantumd.model.services import ServicePoint

KEY: Final[Key] = ("services", "host")
"""The one work key."""

ALIAS: Final = "quantumd services"


@frozen
class AddNamespace:
    """Make the namespace, or set it right."""


@frozen
class ChangeInside:
    """Change devices, addresses and routes."""

    operations: tuple[i.Operation, ...]


@frozen
class Plug:
    """Plug the device."""


@frozen
class Unplug:
    """Unplug it."""


Deed: TypeAlias = AddNamespace | ChangeInside | Plug | Unplug


@frozen
class ChangePlace:
    """Do these in this order, and nothing that comes behind one that failed."""

    deeds: tuple[Deed, ...]
    keys: frozenset[Key] = frozenset({KEY})


@frozen
class Place:
    """What must be there."""

    device: i.Device
    addresses: frozenset[i.Address]
    routes: frozenset[i.Route]


@frozen
class Observed:
    """What is there: ``inside`` is None without a namespace, ``plugged`` None of a device that is broken."""

    inside: i.Seen | None = None
    plugged: bool | None = False
    completes_checksums: bool = field(default=False)


def place_of(points: Iterable[ServicePoint], mtu_bytes: int) -> Place:
    """Return what must be there for these services."""
    texts = [text for each in points for text in (f"{each.ipv4}/32", f"{each.inner_ipv6}/128")]
    return Place(
        i.Device(INNER_DEVICE, DEVICE_MAC, mtu_bytes, OUTER_DEVICE),
        frozenset(i.Address(INNER_DEVICE, text) for text in texts),
        frozenset({
            i.Route("0.0.0.0/0", (ROUTER_IPV4,), INNER_DEVICE),
            i.Route("::/0", (ROUTER_IPV6,), INNER_DEVICE),
        }),
    )  # fmt: skip


def plan_place(place: Place, seen: Observed) -> Plan:
    """Return what makes the place as it must be; empty when it is."""
    deeds = tuple(_deeds(place, seen))
    return Plan((Stage("services", (ChangePlace(deeds),)),)) if deeds else NOTHING


def _deeds(place: Place, seen: Observed) -> Iterator[Deed]:
    inside = seen.inside or i.Seen()
    found = inside.devices.get(place.device.name)
    is_new = found is None or found.outer != place.device.outer
    must_replug = seen.plugged is None or (is_new and seen.plugged)
    if must_replug:
        yield Unplug()
    if seen.inside is None or not (inside.is_named and inside.is_settled):
        yield AddNamespace()
    operations = tuple(_operations(place, inside, found, is_new, seen.completes_checksums))
    if operations:
        yield ChangeInside(operations)
    if must_replug or not seen.plugged:
        yield Plug()


def _operations(
    place: Place, inside: i.Seen, found: i.Device | None, is_new: bool, completes_checksums: bool
) -> Iterator[i.Operation]:
    if found != place.device:
        yield i.PutPair(place.device, ALIAS, completes_checksums)
    held = frozenset() if is_new else inside.addresses
    yield from (i.PutAddress(each) for each in sorted(place.addresses - held, key=repr))
    yield from (i.RemoveAddress(each) for each in sorted(held - place.addresses, key=repr) if _is_ours(each))
    # Routes go with the device or the address that they need.
    missing = place.routes if is_new or place.addresses - held else place.routes - inside.routes
    yield from (i.PutRoute(each) for each in sorted(missing, key=repr))


def _is_ours(address: i.Address) -> bool:
    return address.device == INNER_DEVICE
