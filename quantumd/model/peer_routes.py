"""Host routes of routed networks: each subnet leads its hosts by its own gateway to those of other segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from quantumd.model.addresses import Prefix, prefix_of

Route = Mapping[str, str]
"""``destination`` and ``nexthop``, as the API shows them."""


def with_peers(
    routes: Sequence[Route], gateway_ip: str | None, cidrs: Iterable[str], old_gateway_ip: str | None = None
) -> list[Route]:
    """Return the routes of a subnet with those to its peers: the subnets of its IP version on other segments.

    A peer that a route leads to already, by whatever way and with however short a prefix, gets none; without a gateway
    nothing is added.

    :param old_gateway_ip: the gateway until now, when it changes: what leads to peers by it is dropped.
    """
    peers = list(cidrs)
    kept = [each for each in routes if not _leads(each, peers, old_gateway_ip)]
    if gateway_ip is None:
        return kept
    reached = [prefix_of(each["destination"]) for each in kept]
    missing = [cidr for cidr in peers if not any(_is_inside(prefix_of(cidr), prefix) for prefix in reached)]
    return [*kept, *({"destination": cidr, "nexthop": gateway_ip} for cidr in missing)]


def without_peer(routes: Sequence[Route], gateway_ip: str | None, cidr: str) -> list[Route]:
    """Return the routes of a subnet without the one to a peer that is gone."""
    return [each for each in routes if not _leads(each, (cidr,), gateway_ip)]


def is_same(some: Iterable[Route], others: Iterable[Route]) -> bool:
    """Whether these are the same routes; their order has no meaning."""
    return _pairs(some) == _pairs(others)


def _leads(route: Route, cidrs: Sequence[str], gateway_ip: str | None) -> bool:
    return gateway_ip is not None and route["nexthop"] == gateway_ip and route["destination"] in cidrs


def _is_inside(inner: Prefix, outer: Prefix) -> bool:
    last = int(inner.broadcast_address)
    return inner.version == outer.version and inner.network_address in outer and last <= int(outer.broadcast_address)


def _pairs(routes: Iterable[Route]) -> set[tuple[str, str]]:
    return {(each["destination"], each["nexthop"]) for each in routes}
