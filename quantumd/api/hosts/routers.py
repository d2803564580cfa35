"""What hosts must know of routers. Runs on the store's threads.

The l3 role of the one host that carries a router is told of it, if it understands such records, and nobody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field
from sqlalchemy import Connection

from quantumd.api.hosts.metered import TouchedMeters
from quantumd.api.hosts.outbox import Outbox
from quantumd.api.hosts.qos import TouchedQos
from quantumd.compile.routers import router_record
from quantumd.model.messages import Gone
from quantumd.model.nouns import DHCP_OWNER
from quantumd.model.router import CARRIED, PORT_OWNERS
from quantumd.model.router_records import RouterRecord
from quantumd.model.status import L3
from quantumd.store import nouns, router_nouns
from quantumd.store.journal import last_position
from quantumd.store.meter_nouns import routers_metered
from quantumd.store.router_limits import routers_using

_OWNERS = frozenset(PORT_OWNERS.values())
_NONE_TO_HOSTS = frozenset({"name", "description", "tags", "revision_number", "updated_at"})
_INSIDE_ROUTERS = frozenset({"port_forwarding", "ndp_proxy"})
_OF_SURROUNDINGS: Mapping[str, frozenset[str]] = {
    "subnet": frozenset({"gateway_ip", "dns_nameservers", "subnetpool_id"}),
    "network": frozenset({"mtu", "admin_state_up", "qos_policy_id"}),
    "subnetpool": frozenset({"address_scope_id"}),
}
"""What hosts are told of what routers stand in."""

View = Mapping[str, Any]
Wanted = Callable[[str, str], bool]


@define
class TouchedRouters:
    """Routers that changed in a stretch of the journal, those that hosts are rid of, and networks that changed."""

    routers: set[str] = field(factory=set)
    networks: set[str] = field(factory=set)
    """Those whose routers have to hear of it."""
    grown: set[str] = field(factory=set)
    """Networks with a subnet more or less: those who lead into them have to hear of it."""
    pools: set[str] = field(factory=set)
    """The same of subnet pools: they have gone into another address scope."""
    left: defaultdict[str, set[str]] = field(factory=lambda: defaultdict(set))
    """Hosts that had one to carry, by router."""
    qos: TouchedQos = field(factory=TouchedQos)
    meters: TouchedMeters = field(factory=TouchedMeters)

    @property
    def is_nothing(self) -> bool:
        """Whether no host has to hear of any of it."""
        known = self.routers or self.networks or self.grown or self.pools or self.left
        return not known and self.qos.is_nothing and self.meters.is_nothing

    def note(self, resource: str, resource_id: str, before: View, after: View) -> None:
        """Note a row of the journal."""
        self.qos.note(resource, resource_id, before, after)
        self.meters.note(resource, resource_id, before, after)
        if resource == "router":
            if _differs(before, after):
                self.routers.add(resource_id)
        elif resource == "floatingip":
            if _differs(before, after):
                self.routers.update(each["router_id"] for each in (before, after) if each.get("router_id"))
        elif resource in _INSIDE_ROUTERS:
            if _differs(before, after):
                self.routers.update(each["router_id"] for each in (before, after) if each)
        elif resource == "conntrack_helper":
            self.routers.update(each["router_id"] for each in (before, after) if each)
        elif resource == "port":
            self._note_port(before, after)
        elif resource in _OF_SURROUNDINGS:
            self._note_surroundings(resource, resource_id, before, after)
        elif resource == "agent":
            self._note_agent(before, after)

    def _note_surroundings(self, resource: str, resource_id: str, before: View, after: View) -> None:
        told = _OF_SURROUNDINGS[resource]
        if resource == "subnet" and not (before and after):
            self.grown.add((before or after)["network_id"])
        if not (before and after) or all(before.get(name) == after.get(name) for name in told):
            return
        if resource == "subnetpool":
            self.pools.add(resource_id)
        else:
            self.networks.add(after["network_id"] if resource == "subnet" else resource_id)

    def _note_port(self, before: View, after: View) -> None:
        if (after or before).get("device_owner") == DHCP_OWNER and _addresses6(before) != _addresses6(after):
            # Routers advertise them as DNS servers.
            self.networks.add((after or before)["network_id"])
        users = [each["device_id"] for each in (before, after) if each.get("device_owner") in _OWNERS]
        if users and _differs(before, after):
            self.routers.update(users)

    def _note_agent(self, before: View, after: View) -> None:
        if before.get(CARRIED):
            self.left[before[CARRIED]].add(before["host"])
        if after.get(CARRIED):
            self.routers.add(after[CARRIED])


def _addresses6(view: View) -> set[str]:
    return {each["ip_address"] for each in view.get("fixed_ips", ()) if ":" in each["ip_address"]}


def _differs(before: View, after: View) -> bool:
    if not (before and after):
        return True
    return any(before.get(name) != after[name] for name in after if name not in _NONE_TO_HOSTS)


def tell_of_routers(connection: Connection, touched: TouchedRouters, outbox: Outbox) -> None:
    """Put into the outbox what hosts must know of routers after these changes, and of which they are rid."""
    standing = router_nouns.routers_in(connection, touched.networks) if touched.networks else set()
    if touched.grown:
        standing |= router_nouns.routers_into(connection, touched.grown)
    if touched.pools:
        standing |= router_nouns.routers_of_pools(connection, touched.pools)
    if touched.qos.policies:
        standing |= routers_using(connection, touched.qos.policies)
    if not touched.meters.is_nothing:
        standing |= routers_metered(connection, touched.meters.labels, touched.meters.projects)
    wanted = touched.routers | standing | touched.left.keys()
    if not wanted:
        return
    # The position is read first: what commits in between is in the records and also comes as an update.
    position = last_position(connection)
    found = router_nouns.routers_by_id(connection, wanted)
    hosts = {each.host for each in found.values()}.union(*touched.left.values()) - {""}
    understanding = nouns.hosts_that_understand(connection, RouterRecord.kind, hosts, L3)
    for router in found.values():
        if router.host in understanding:
            outbox.put[router.host, L3][RouterRecord.kind, router.id] = router_record(router, position)
    for router_id, left in touched.left.items():
        now = found[router_id].host if router_id in found else None
        for host in (left & understanding) - {now}:
            outbox.gone[host, L3].append(Gone(RouterRecord.kind, router_id, position, is_deleted=now is None))


def records_of(connection: Connection, host: str, is_wanted: Wanted = lambda kind, router_id: True) -> list[Any]:
    """Return what the l3 role of a host must know, of those records that are wanted."""
    router_ids = router_nouns.routers_of_host(connection, host)
    return list(records_for(connection, host, (each for each in router_ids if is_wanted(RouterRecord.kind, each))))


def records_for(connection: Connection, host: str, router_ids: Iterable[str]) -> Iterator[RouterRecord]:
    """Yield what a host must know of those of the routers that it carries."""
    wanted = tuple(router_ids)
    if wanted and nouns.hosts_that_understand(connection, RouterRecord.kind, (host,), L3):
        position = last_position(connection)
        for router in router_nouns.routers_by_id(connection, wanted).values():
            if router.host == host:
                yield router_record(router, position)
