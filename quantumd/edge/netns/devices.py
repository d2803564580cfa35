"""Devices, addresses, routes and rules of a network namespace, by two sockets: one in it, one where this process is."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import evolve, frozen
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.python.failure import Failure

from quantumd.edge.netlink.wire import ACK, CREATE, DUMP, EXCLUSIVE, REPLACE, Message, NetlinkWire, Refused
from quantumd.edge.netns import interfaces as i
from quantumd.edge.netns import messages as m
from quantumd.edge.netns import routing as r

_GONE: Final = (errno.ENODEV, errno.ENOENT, errno.EADDRNOTAVAIL, errno.ESRCH)
LOOPBACK: Final = "lo"
_KERNELS_OWN: Final = frozenset({
    LOOPBACK, "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "sit0", "ip6tnl0", "ip6gre0", "ip6_vti0",
})  # fmt: skip
"""Devices that the kernel itself makes in each namespace, down and for ever.

Source: net.core.fb_tunnels_only_for_init_net in the kernel's Documentation/admin-guide/sysctl/net.rst.
"""


@frozen
class Ends:
    """The sockets: ``inner`` in the namespace, ``outer`` where this process is, in the namespace of ``home``."""

    inner: NetlinkWire
    outer: NetlinkWire
    home: int


async def look(ends: Ends) -> tuple[i.Seen, bool]:
    """Return what is in the namespace, and whether its loopback is up. EdgeError."""
    found = await ends.inner.request(m.GET_LINK, DUMP, m.links())
    links = [m.read_link(each.body) for each in found if each.kind == m.NEW_LINK]
    theirs = {link.index: link for link in links if link.device.name not in _KERNELS_OWN}
    outers = await _outer_ends(ends, theirs.values())
    addresses = await ends.inner.request(m.GET_ADDRESS, DUMP, m.addresses())
    routes = await ends.inner.request(r.GET_ROUTE, DUMP, r.routes())
    rules = await ends.inner.request(r.GET_RULE, DUMP, r.rules())
    proxied = await ends.inner.request(m.GET_NEIGHBOUR, DUMP, m.proxied())
    devices = {link.device.name: evolve(link.device, outer=outers.get(at, "")) for at, link in theirs.items()}
    names = {at: link.device.name for at, link in theirs.items()}
    seen = i.Seen(
        devices,
        _read_addresses(addresses, names),
        _read_routes(routes, names),
        _read_rules(rules),
        _read_proxied(proxied, names),
    )
    return seen, any(link.device.name == LOOPBACK and link.device.is_up for link in links)


async def _outer_ends(ends: Ends, links: Iterable[m.Link]) -> dict[int, str]:
    """Return the names of the other ends that are where this process is, by the indexes of the inner ones."""
    pairs = [link for link in links if link.peer]
    asked = [ensureDeferred(_find(ends.outer, m.about(each.peer))) for each in pairs]
    found = await gatherResults(asked, consumeErrors=True).addErrback(first_error)
    return {
        link.index: other.device.name
        for link, other in zip(pairs, found, strict=True)
        if other is not None and other.peer == link.index
    }


def _read_addresses(said: Iterable[Message], names: Mapping[int, str]) -> frozenset[i.Address]:
    held = filter(None, (m.read_address(each.body) for each in said))
    return frozenset(i.Address(names[index], text) for index, text in held if index in names)


def _read_proxied(said: Iterable[Message], names: Mapping[int, str]) -> frozenset[i.Address]:
    held = filter(None, (m.read_proxied(each.body) for each in said))
    return frozenset(i.Address(names[index], text) for index, text in held if index in names)


def _read_routes(said: Iterable[Message], names: Mapping[int, str]) -> frozenset[i.Route]:
    ours = filter(None, (r.read_route(each.body) for each in said))
    return frozenset(_placed(route, [names.get(index, "") for index in indexes]) for route, indexes in ours)


def _placed(route: i.Route, devices: list[str]) -> i.Route:
    """Return the route with the names of its devices."""
    if len(devices) <= 1:
        return evolve(route, device="".join(devices))
    nexthops, links = zip(*sorted(zip(route.nexthops, devices, strict=True)), strict=True)
    return evolve(route, nexthops=nexthops, devices=links)


def _read_rules(said: Iterable[Message]) -> frozenset[i.Rule]:
    return frozenset(filter(None, (r.read_rule(each.body) for each in said)))


async def put_pair(ends: Ends, pair: i.PutPair) -> None:
    """See PutPair, but for its checksums. EdgeError."""
    device = pair.device
    inner, outer = await _named(ends.inner, device.name), await _named(ends.outer, device.outer)
    if inner is not None and (outer is None or (inner.peer, outer.peer) != (outer.index, inner.index)):
        await _remove(ends.inner, inner)
        inner = None
    if inner is None:
        if outer is not None and outer.alias == pair.alias:
            # It is left over: its other end is in a namespace that nobody finds any more.
            await _remove(ends.outer, outer)
        await _send(ends.inner, m.NEW_LINK, CREATE | EXCLUSIVE, m.pair(device, device.outer, ends.home))
    await _set_right(ends, pair)


async def _set_right(ends: Ends, pair: i.PutPair) -> None:
    device = pair.device
    inner, outer = await index_of(ends.inner, device.name), await index_of(ends.outer, device.outer)
    # It must have no address of its own before it is up, or it would talk into the network.
    await _send(ends.outer, m.NEW_LINK, 0, m.labelled(outer, pair.alias))
    await _send(ends.outer, m.NEW_LINK, 0, m.quiet(outer), (errno.EAFNOSUPPORT,))
    await _send(ends.outer, m.NEW_LINK, 0, m.changed(outer, device.mtu_bytes))
    await _send(ends.outer, m.NEW_LINK, 0, m.up(outer))
    await _send(ends.inner, m.NEW_LINK, 0, m.changed(inner, device.mtu_bytes, device.mac))
    await have_up(ends.inner, device.name)


async def remove_device(ends: Ends, name: str) -> None:
    """Remove a device; one that is not there is no error. EdgeError."""
    link = await _named(ends.inner, name)
    if link is not None:
        await _remove(ends.inner, link)


async def have_up(wire: NetlinkWire, name: str) -> None:
    """Have a device up. EdgeError."""
    await _send(wire, m.NEW_LINK, 0, m.up(await index_of(wire, name)))


async def put_address(ends: Ends, address: i.Address) -> None:
    """See PutAddress. EdgeError."""
    index = await index_of(ends.inner, address.device)
    await _send(ends.inner, m.NEW_ADDRESS, CREATE | REPLACE, m.address(index, address.address))


async def remove_address(ends: Ends, address: i.Address) -> None:
    """See RemoveAddress. EdgeError."""
    link = await _named(ends.inner, address.device)
    if link is not None:
        await _send(ends.inner, m.DEL_ADDRESS, 0, m.address(link.index, address.address), _GONE)


async def put_proxied(ends: Ends, address: i.Address) -> None:
    """See PutProxied. EdgeError."""
    index = await index_of(ends.inner, address.device)
    await _send(ends.inner, m.NEW_NEIGHBOUR, CREATE | REPLACE, m.proxied_at(index, address.address))


async def remove_proxied(ends: Ends, address: i.Address) -> None:
    """See RemoveProxied. EdgeError."""
    link = await _named(ends.inner, address.device)
    if link is not None:
        await _send(ends.inner, m.DEL_NEIGHBOUR, 0, m.proxied_at(link.index, address.address), _GONE)


async def put_route(ends: Ends, route: i.Route) -> None:
    """See PutRoute. EdgeError."""
    devices = route.devices or ((route.device,) if route.device else ())
    indexes = [await index_of(ends.inner, each) for each in devices]
    await _send(ends.inner, r.NEW_ROUTE, CREATE | REPLACE, r.route(route, indexes))


async def remove_route(ends: Ends, route: i.Route) -> None:
    """See RemoveRoute. EdgeError."""
    await _send(ends.inner, r.DEL_ROUTE, 0, r.any_route(route), _GONE)


async def put_rule(ends: Ends, rule: i.Rule) -> None:
    """See PutRule. EdgeError."""
    await _send(ends.inner, r.NEW_RULE, CREATE | EXCLUSIVE, r.rule(rule), (errno.EEXIST,))


async def remove_rule(ends: Ends, rule: i.Rule) -> None:
    """See RemoveRule. EdgeError."""
    await _send(ends.inner, r.DEL_RULE, 0, r.rule(rule), _GONE)


async def index_of(wire: NetlinkWire, name: str) -> int:
    """Return the index of a device. EdgeError when there is none of that name."""
    link = await _named(wire, name)
    if link is None:
        raise Refused(errno.ENODEV, name)
    return link.index


async def _named(wire: NetlinkWire, name: str) -> m.Link | None:
    return await _find(wire, m.named(name))


async def _find(wire: NetlinkWire, which: bytes) -> m.Link | None:
    try:
        found = await wire.request(m.GET_LINK, ACK, which)
    except Refused as error:
        if error.number in _GONE:
            return None
        raise
    return m.read_link(found[0].body) if found else None


async def _remove(wire: NetlinkWire, link: m.Link) -> None:
    await _send(wire, m.DEL_LINK, 0, m.about(link.index), _GONE)


async def _send(wire: NetlinkWire, kind: int, flags: int, body: bytes, forgiven: tuple[int, ...] = ()) -> None:
    try:
        await wire.request(kind, flags | ACK, body)
    except Refused as error:
        if error.number not in forgiven:
            raise


def first_error(failure: Failure) -> Failure:
    """Return the error of the first of several that failed."""
    first: Failure = getattr(failure.value, "subFailure", failure)
    return first
