"""What the records ask of a router's namespace. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Protocol, cast

from attrs import evolve, frozen

from quantumd.converge.plan import Key
from quantumd.edge.netns.interfaces import Device, Route
from quantumd.l3.features.addressing import addressing_of
from quantumd.l3.features.base import Addressing, Filters, merged
from quantumd.l3.features.helping import help_of
from quantumd.l3.features.limits import limits_of
from quantumd.l3.features.metering import meters_of
from quantumd.l3.features.nat import filters_of
from quantumd.l3.features.neighbours import entry_of
from quantumd.l3.names import GATEWAY, INSIDE, inner_of, outer_of
from quantumd.model.addresses import is_port_address
from quantumd.model.records import Record, RecordKey
from quantumd.model.router_records import RouterLink, RouterRecord


class SomeRecords(Protocol):
    """The records that the role's client keeps."""

    def get(self, kind: str, record_id: str) -> Record | None:
        """Return the record of that kind and id, or None."""

    def of_kind(self, kind: str) -> Iterable[Record]:
        """Return every record of a kind."""

    def was_deleted(self, kind: str, record_id: str) -> bool:
        """Whether what a record was about is known to be deleted, and not only needed no longer here."""


@frozen
class Wire:
    """Two devices that are one wire: the router's end, and its outer end, which is plugged as a port."""

    device: Device
    port_id: str


@frozen
class DesiredRouter:
    """A router as it shall be: its wires by the names of their inner ends, and what it does with packets."""

    id: str
    wires: Mapping[str, Wire]
    addressing: Addressing
    filters: Filters


def router_key(router_id: str) -> Key:
    """Return the work key of a router."""
    return ("router", router_id)


def keys_of(changed: Iterable[RecordKey]) -> frozenset[Key]:
    """Return the work keys of the record keys that are of this role."""
    return frozenset(router_key(record_id) for kind, record_id in changed if kind == RouterRecord.kind)


def find_router(records: SomeRecords, router_id: str) -> RouterRecord | None:
    """Return a router's record."""
    return cast("RouterRecord | None", records.get(RouterRecord.kind, router_id))


def desire(router: RouterRecord | None) -> DesiredRouter | None:
    """Return the router as it shall be; None of one that shall not be there, or is disabled."""
    if router is None or not router.admin_state_up:
        return None
    wires = dict(_wires(router))
    every = (filters_of(router), entry_of(router), limits_of(router), help_of(router), meters_of(router))
    filters = merged(every)
    return DesiredRouter(router.id, wires, _within_reach(addressing_of(router)), filters)


def _within_reach(addressing: Addressing) -> Addressing:
    """Leave out next hops on links where the router does not stand, as while a port of it is disabled, and itself.

    Of what was asked for before such routes were refused also those that no router could send to.
    The kernel would refuse them, and all that comes behind would not be done.
    """
    own = [ip_interface(each.address) for each in addressing.addresses]
    return evolve(addressing, routes=frozenset(filter(None, (_reaching(each, own) for each in addressing.routes))))


def _reaching(route: Route, own: Collection[IPv4Interface | IPv6Interface]) -> Route | None:
    """Return the route with those next hops that are there; None when there are none any more."""
    if not route.nexthops:
        return route
    devices = route.devices or (route.device,) * len(route.nexthops)
    version = ip_network(route.destination).version
    ways = [way for way in zip(route.nexthops, devices, strict=True) if _is_near(*way, own, version)]
    if not ways:
        return None
    nexthops, links = zip(*ways, strict=True)
    if not route.devices:
        return evolve(route, nexthops=nexthops)
    if len(ways) == 1:
        return evolve(route, nexthops=nexthops, device=links[0], devices=())
    return evolve(route, nexthops=nexthops, devices=links)


def _is_near(nexthop: str, device: str, own: Collection[IPv4Interface | IPv6Interface], version: int) -> bool:
    address = ip_address(nexthop)
    is_near = device or any(address in each.network and _is_host(address, each) for each in own)
    return bool(is_near) and address.version == version and all(address != each.ip for each in own)


def _is_host(address: IPv4Address | IPv6Address, link: IPv4Interface | IPv6Interface) -> bool:
    return is_port_address(str(link.network), str(address))


def _wires(router: RouterRecord) -> Iterator[tuple[str, Wire]]:
    for prefix, links in ((INSIDE, router.interfaces), (GATEWAY, tuple(each.link for each in router.gateways))):
        for link in links:
            wire = _wire(prefix, link)
            yield wire.device.name, wire


def _wire(prefix: str, link: RouterLink) -> Wire:
    outer = outer_of(link.port_id)
    return Wire(Device(inner_of(prefix, link.port_id), link.mac_address, link.mtu_bytes, outer), link.port_id)
