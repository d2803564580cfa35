"""What this host knows and sees: records, and the devices that the kernel tells of, with an index between them."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from quantumd.converge.plan import Key
from quantumd.converge.records import Records
from quantumd.edge.netlink.interfaces import ILinks, Link
from quantumd.l2.drivers.linuxbridge.desired import NetworkView, PortView, RemotePortView
from quantumd.l2.drivers.linuxbridge.names import bridge_of, is_tap, port_in, start_of_id, tap_of, vxlan_of
from quantumd.l2.drivers.linuxbridge.settings import Exits
from quantumd.l2.drivers.linuxbridge.zones import Zones
from quantumd.l2.drivers.ovs.policies import POLICY, SET, Policies
from quantumd.l2.drivers.ovs.policy_numbers import PolicyNumbers
from quantumd.l2.drivers.ovs.remote import REMOTE_PORT, Elsewhere
from quantumd.model.network import FLAT, LOCAL, VXLAN
from quantumd.model.records import NetworkRecord, PortRecord, RecordKey, RemotePortRecord
from quantumd.model.security_records import AddressSetRecord, set_of

_OPEN = "whoever is not guarded"


@define
class HostView:
    """Kept up to date with records; devices are looked up when they are asked for."""

    records: Records
    links: ILinks
    exits: Exits
    numbers: Zones = field(factory=Zones)
    marks: PolicyNumbers = field(factory=PolicyNumbers)
    policies: Policies = field(init=False)
    elsewhere: Elsewhere = field(init=False)
    open_mark: int = field(init=False)
    """The mark of packets of whoever is not guarded; no policy has it."""
    _network_of: dict[str, str] = field(factory=dict, init=False)
    _ports_on: dict[str, set[str]] = field(factory=dict, init=False)
    _port_by_tap: dict[str, str] = field(factory=dict, init=False)
    _network_by_device: dict[str, str] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Reserve the mark of whoever is not guarded."""
        self.open_mark = self.marks.number_of(_OPEN)
        self.policies = Policies(self.records, self.marks)
        self.elsewhere = Elsewhere(self.records)

    # --- records

    def note_records(self, changed: Iterable[RecordKey]) -> frozenset[Key]:
        """Bring the index up to date; return the keys that these changes touch."""
        changed = frozenset(changed)
        keys = {key for key in self.elsewhere.note(changed) if key[0] in ("network", REMOTE_PORT)}
        keys.update(key for key in self.policies.note_records(changed) if key[0] in (POLICY, SET, "port"))
        for kind, record_id in changed:
            if kind == PortRecord.kind:
                keys.update(self._note_port(record_id))
            elif kind == NetworkRecord.kind:
                keys.update(self._note_network(record_id))
            elif kind == AddressSetRecord.kind:
                keys.add((SET, set_of(record_id)))
        return frozenset(keys)

    def _note_port(self, port_id: str) -> set[Key]:
        tap, record = tap_of(port_id), self.records.get(PortRecord.kind, port_id)
        # The device may have been nobody's until now, or is from now on.
        keys: set[Key] = {("port", port_id), ("device", tap)}
        old = self._network_of.pop(port_id, None)
        if old is not None:
            self._ports_on[old].discard(port_id)
            if not self._ports_on[old]:
                del self._ports_on[old]
            keys.update(self.network_keys(old))
        if self._port_by_tap.get(tap) == port_id:
            del self._port_by_tap[tap]
        if isinstance(record, PortRecord):
            self._network_of[port_id] = record.network_id
            self._ports_on.setdefault(record.network_id, set()).add(port_id)
            self._port_by_tap[tap] = port_id
            keys.update(self.network_keys(record.network_id))
        return keys

    def _note_network(self, network_id: str) -> set[Key]:
        record = self.records.get(NetworkRecord.kind, network_id)
        gone = [device for device, owner in self._network_by_device.items() if owner == network_id]
        for device in gone:
            del self._network_by_device[device]
        if isinstance(record, NetworkRecord):
            self._network_by_device[bridge_of(network_id)] = network_id
            uplink = self.uplink_of(record)
            if uplink:
                self._network_by_device[uplink] = network_id
        return self.network_keys(network_id) | {("port", port_id) for port_id in self.ports_on(network_id)}

    def network_keys(self, network_id: str) -> set[Key]:
        """Return the keys of a network and of what other hosts have of it."""
        remote = (key for key in self.elsewhere.keys_on(network_id) if key[0] == REMOTE_PORT)
        return {("network", network_id), *remote}

    # --- what revocation asks

    def network_of(self, port_id: str) -> str | None:
        """Return the network of a port that this host has a record of."""
        return self._network_of.get(port_id)

    def networks(self) -> frozenset[str]:
        """Return the networks that have ports or records here."""
        return frozenset(self._ports_on) | {record.id for record in self.records.of_kind(NetworkRecord.kind)}

    def ports_on(self, network_id: str) -> frozenset[str]:
        """Return the ports of a network that this host has records of."""
        return frozenset(self._ports_on.get(network_id, ()))

    def records_on(self, network_id: str) -> tuple[PortRecord, ...]:
        """Return the records of the ports of a network."""
        found = (self.records.get(PortRecord.kind, port_id) for port_id in self._ports_on.get(network_id, ()))
        return tuple(record for record in found if isinstance(record, PortRecord))

    # --- devices

    def link_of(self, port_id: str) -> Link | None:
        """Return the device of a port, known or not, given its id or what begins it."""
        return self.links.links().get(tap_of(port_id))

    def is_plugged(self, port_id: str) -> bool:
        """Whether the device of a port is there."""
        return self.link_of(port_id) is not None

    def port_at(self, tap: str) -> str:
        """Return which port a device is: by records, by its alias, or else only what its id begins with."""
        known = self._port_by_tap.get(tap)
        if known is not None:
            return known
        link = self.links.links().get(tap)
        named = port_in(link.alias) if link is not None else None
        return named if named is not None and tap_of(named) == tap else start_of_id(tap)

    def taps(self) -> tuple[str, ...]:
        """Return the devices that are called as those of ports are."""
        return tuple(name for name in self.links.links() if is_tap(name))

    def network_with(self, device: str) -> str | None:
        """Return the network that has a device for itself."""
        return self._network_by_device.get(device)

    # --- views

    def port(self, port_id: str) -> PortView | None:
        """Return a port that can carry traffic: known, plugged, enabled, its network too. None for any other."""
        record = self.records.get(PortRecord.kind, port_id)
        if not isinstance(record, PortRecord) or not record.admin_state_up or record.parent_id:
            return None
        network = self.records.get(NetworkRecord.kind, record.network_id)
        if not isinstance(network, NetworkRecord) or not network.admin_state_up or not self.is_plugged(port_id):
            return None
        mark = self.policies.number_of(record) if record.port_security else self.open_mark
        is_stateful = self.policies.is_stateful(record)
        return PortView(record, network, tap_of(port_id), bridge_of(network.id), mark, is_stateful)

    def network(self, network_id: str) -> NetworkView | None:
        """Return a network that has at least one enabled port whose device is there."""
        record = self.records.get(NetworkRecord.kind, network_id)
        if not isinstance(record, NetworkRecord) or not record.admin_state_up or not self._is_carried(network_id):
            return None
        zone = self.numbers.number_of(network_id)
        peers = self.elsewhere.peers_on(network_id) if record.network_type == VXLAN else ()
        return NetworkView(record, bridge_of(network_id), zone, self.open_mark, self.uplink_of(record), peers)

    def _is_carried(self, network_id: str) -> bool:
        ports = (port for port in self.records_on(network_id) if port.admin_state_up and not port.parent_id)
        return any(self.is_plugged(port.id) for port in ports)

    def remote_port(self, port_id: str) -> RemotePortView | None:
        """Return a port of another host on a network that this host carries by a tunnel."""
        record = self.records.get(RemotePortRecord.kind, port_id)
        network = self.network(record.network_id) if isinstance(record, RemotePortRecord) else None
        if network is None or not isinstance(record, RemotePortRecord):
            return None
        end = self.elsewhere.end_of(record.host)
        if network.network.network_type != VXLAN or not network.uplink or end is None:
            return None
        return RemotePortView(record, network.bridge, network.uplink, end)

    def uplink_of(self, network: NetworkRecord) -> str:
        """Return the device by which a network leaves this host; '' when it does not."""
        if network.network_type == VXLAN and self.exits.tunnel_ip and network.segmentation_id:
            return vxlan_of(network.segmentation_id)
        if network.network_type == FLAT and network.physical_network:
            return self.exits.interfaces.get(network.physical_network, "")
        return ""

    def fault_of(self, network: NetworkRecord) -> str | None:
        """Return why a network cannot be carried here though its record says so."""
        uplink = self.uplink_of(network)
        if network.network_type == LOCAL:
            return None
        if network.network_type == VXLAN:
            return None if uplink else "there are no vxlan tunnels on this host"
        if network.network_type != FLAT:
            return f"Linux bridges do not carry networks of the type {network.network_type}"
        if not uplink:
            return f"{network.physical_network} is not connected on this host"
        return None if uplink in self.links.links() else f"{network.physical_network} needs the device {uplink}"
