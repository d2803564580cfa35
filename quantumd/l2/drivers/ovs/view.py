"""This host as the driver sees it: records, plugged devices, and which belong together. Looks nothing up outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field

from quantumd.converge.records import Records
from quantumd.l2.drivers.ovs.copying import Copying
from quantumd.l2.drivers.ovs.desired import NetworkView, PeerView, PortView, RemotePortView
from quantumd.l2.drivers.ovs.numbers import NetworkNumbers
from quantumd.l2.drivers.ovs.pipeline import port_number
from quantumd.l2.drivers.ovs.policies import Policies
from quantumd.l2.drivers.ovs.qos_policies import QosPolicies
from quantumd.l2.drivers.ovs.remote import REMOTE_PORT, Elsewhere
from quantumd.l2.drivers.ovs.trunks import TrunkIndex
from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.dns_zones import Zones
from quantumd.model.logging_records import PortLogsRecord
from quantumd.model.records import NetworkRecord, PortRecord, RecordKey, RemotePortRecord


@define
class HostView:
    """``devices`` are names by port id, from the database; ``ofports`` are numbers by name, from the switch itself."""

    records: Records
    numbers: NetworkNumbers
    policies: Policies = field(init=False)
    physical_ofports: dict[str, int] = field(factory=dict)
    tunnel_ofports: dict[str, int] = field(factory=dict)
    """By type, of those tunnels that are open."""
    mirror_ofports: dict[str, int] = field(factory=dict)
    """By kind, of those tunnels of mirrors that are open."""
    elsewhere: Elsewhere = field(init=False)
    _devices: dict[str, set[str]] = field(factory=dict, init=False)
    _port_ids: dict[str, str] = field(factory=dict, init=False)
    _ofports: dict[str, int] = field(factory=dict, init=False)
    _network_of: dict[str, str] = field(factory=dict, init=False)
    _ports_on: dict[str, set[str]] = field(factory=dict, init=False)
    _carried: set[str] = field(factory=set, init=False)
    """The networks that had ports here when that was last looked at."""
    _live: dict[str, dict[str, int]] = field(factory=dict, init=False)
    """network → port → its number, of plugged and enabled ports: kept, as a network may have thousands."""
    _numbered: dict[int, str] = field(factory=dict, init=False)
    """The same ports by their numbers."""
    trunks: TrunkIndex = field(factory=TrunkIndex, init=False)
    zones: Zones = field(factory=Zones, init=False)
    copying: Copying = field(init=False)
    qos: QosPolicies = field(init=False)

    @elsewhere.default
    def _make_elsewhere(self) -> Elsewhere:
        return Elsewhere(self.records)

    @copying.default
    def _make_copying(self) -> Copying:
        return Copying(self.records, self.tunnel_ofports, self.mirror_ofports, self.ofport_of)

    @qos.default
    def _make_qos(self) -> QosPolicies:
        return QosPolicies(self.records)

    @policies.default
    def _make_policies(self) -> Policies:
        return Policies(self.records)

    def set_device(self, name: str, old_port_id: str | None, new_port_id: str | None) -> None:
        """Note which port a device says it is."""
        if old_port_id is not None:
            names = self._devices.get(old_port_id, set())
            names.discard(name)
            if not names:
                self._devices.pop(old_port_id, None)
        if new_port_id is not None:
            self._devices.setdefault(new_port_id, set()).add(name)
            self._port_ids[name] = new_port_id
        elif self._port_ids.get(name) == old_port_id:
            self._port_ids.pop(name, None)
        for port_id in {old_port_id, new_port_id} - {None}:
            self._note_plug(str(port_id))

    def set_ofport(self, name: str, ofport: int | None) -> None:
        """Note the OpenFlow number of a device; None when it is gone."""
        if ofport is None:
            self._ofports.pop(name, None)
        else:
            self._ofports[name] = ofport
        if name in self._port_ids:
            self._note_plug(self._port_ids[name])

    def set_ofports(self, ofports: Mapping[str, int]) -> None:
        """Note all OpenFlow numbers anew."""
        self._ofports = dict(ofports)

    def forget_devices(self) -> None:
        """Forget which devices are which ports, before they are all read anew."""
        self._devices.clear()
        self._port_ids.clear()
        self._live.clear()
        self._numbered.clear()

    def note_records(self, changed: Iterable[RecordKey]) -> frozenset[str]:
        """Bring the index up to date; return the networks whose ports or own record changed."""
        networks: set[str] = set()
        for kind, record_id in changed:
            if kind == PortRecord.kind:
                networks.update(self._note_port(record_id))
            elif kind == NetworkRecord.kind:
                networks.add(record_id)
            elif kind in (DnsNameRecord.kind, DnsZoneRecord.kind):
                self._note_name(kind, record_id)
        return frozenset(networks)

    def _note_name(self, kind: str, record_id: str) -> None:
        record = self.records.get(kind, record_id)
        if kind == DnsNameRecord.kind:
            self.zones.put_name(record_id, record if isinstance(record, DnsNameRecord) else None)
        else:
            self.zones.put_zone(record_id, record if isinstance(record, DnsZoneRecord) else None)

    def _note_port(self, port_id: str) -> set[str]:
        record = self.records.get(PortRecord.kind, port_id)
        old = self._network_of.pop(port_id, None)
        if old is not None:
            self._ports_on[old].discard(port_id)
            if not self._ports_on[old]:
                del self._ports_on[old]
            self._forget_live(old, port_id)
        self.trunks.note(port_id, record if isinstance(record, PortRecord) else None)
        if not isinstance(record, PortRecord):
            return {old} if old else set()
        self._network_of[port_id] = record.network_id
        self._ports_on.setdefault(record.network_id, set()).add(port_id)
        self._note_live(port_id)
        return {old, record.network_id} - {None} if old else {record.network_id}

    def newly_carried(self, networks: Iterable[str]) -> frozenset[str]:
        """Return those of the networks that got their first port here, or lost their last, since this was asked."""
        toggled = frozenset(each for each in networks if (each in self._ports_on) != (each in self._carried))
        self._carried ^= toggled
        return toggled

    def network_of(self, port_id: str) -> str | None:
        """Return the network of a port that this host has a record of."""
        return self._network_of.get(port_id)

    def network_behind(self, noun: str, name: str) -> str | None:
        """Return the network whose number the objects of a key hold; None when they hold none."""
        if noun == "network":
            return name
        if noun == "port":
            return self.network_of(name)
        remote = self.records.get(RemotePortRecord.kind, name) if noun == REMOTE_PORT else None
        return remote.network_id if isinstance(remote, RemotePortRecord) else None

    def ports_on(self, network_id: str) -> frozenset[str]:
        """Return the ports of a network that this host has records of."""
        return frozenset(self._ports_on.get(network_id, ()))

    def records_on(self, network_id: str) -> tuple[PortRecord, ...]:
        """Return the records of the ports of a network."""
        found = (self.records.get(PortRecord.kind, port_id) for port_id in self._ports_on.get(network_id, ()))
        return tuple(record for record in found if isinstance(record, PortRecord))

    def plugged(self) -> frozenset[str]:
        """Return the ids of all ports that a device says it is, known or not."""
        return frozenset(self._devices)

    def devices_of(self, port_id: str) -> frozenset[str]:
        """Return the names of the devices that say they are this port."""
        return frozenset(self._devices.get(port_id, ()))

    def networks(self) -> frozenset[str]:
        """Return the networks that have ports or records here."""
        return frozenset(self._ports_on) | {record.id for record in self.records.of_kind(NetworkRecord.kind)}

    def is_plugged(self, port_id: str) -> bool:
        """Whether the switch has a device that says it is this port; a row whose device is missing plugs nothing."""
        return self.ofport_of(port_id) is not None

    def ofport_of(self, port_id: str) -> int | None:
        """Return the OpenFlow number of the port's device, of a sub-port that of its parent's.

        Of several devices the newest number counts.
        """
        device_of = self.trunks.parent_of(port_id) or port_id
        numbers = [self._ofports[name] for name in self._devices.get(device_of, ()) if name in self._ofports]
        return max(numbers, default=None)

    def port_numbered(self, number: int) -> PortRecord | None:
        """Return the plugged and enabled port that has this number."""
        record = self.records.get(PortRecord.kind, self._numbered.get(number, ""))
        return record if isinstance(record, PortRecord) else None

    def ofport_named(self, name: str) -> int | None:
        """Return the OpenFlow number of a device by its name."""
        return self._ofports.get(name)

    def port(self, port_id: str, now: float) -> PortView | None:
        """Return a port that can carry traffic: known, plugged, enabled, its network too. None for any other."""
        record = self.records.get(PortRecord.kind, port_id)
        ofport = self.ofport_of(port_id)
        if not isinstance(record, PortRecord) or ofport is None or not record.admin_state_up:
            return None
        network = self.records.get(NetworkRecord.kind, record.network_id)
        if not isinstance(network, NetworkRecord) or not network.admin_state_up:
            return None
        number, policies = self.numbers.number_of(network.id, now), self.policies
        logs = self.records.get(PortLogsRecord.kind, port_id)
        return PortView(
            record,
            network,
            number,
            ofport,
            policies.number_of(record),
            policies.is_stateful(record),
            record.segmentation_id,
            self.trunks.has_sub_ports(port_id),
            self.copying.of(port_id),
            self.qos.policy_of(record, network),
            logs.events if isinstance(logs, PortLogsRecord) else frozenset(),
        )

    def network(self, network_id: str, now: float) -> NetworkView | None:
        """Return a network that has at least one port that can carry traffic."""
        record = self.records.get(NetworkRecord.kind, network_id)
        live = self._live.get(network_id)
        if not isinstance(record, NetworkRecord) or not record.admin_state_up or not live:
            return None
        physical = self.physical_ofports.get(record.physical_network) if record.physical_network else None
        tunnel = self.tunnel_ofports.get(record.network_type)
        peers = self.elsewhere.peers_on(network_id) if tunnel is not None else ()
        number = self.numbers.number_of(network_id, now)
        numbers = tuple(sorted(live.values()))
        return NetworkView(record, number, numbers, physical, tunnel, peers, self.qos.limited(record, live))

    def peer(self, host: str) -> PeerView | None:
        """Return a host that carries networks which have ports here; None for any other."""
        end = self.elsewhere.end_of(host)
        if end is None or not any(self._ports_on.get(each) for each in self.elsewhere.networks_of(host)):
            return None
        return PeerView(end, tuple(sorted(self.tunnel_ofports.values())))

    def remote_port(self, port_id: str, now: float) -> RemotePortView | None:
        """Return a port of another host that ports here may reach: on an enabled network that has ports here."""
        record = self.records.get(RemotePortRecord.kind, port_id)
        if not isinstance(record, RemotePortRecord) or not self._ports_on.get(record.network_id):
            return None
        network = self.records.get(NetworkRecord.kind, record.network_id)
        if not isinstance(network, NetworkRecord) or not network.admin_state_up:
            return None
        tunnel, end = self.tunnel_ofports.get(network.network_type), self.elsewhere.end_of(record.host)
        if tunnel is None or end is None:
            return None
        return RemotePortView(record, network, self.numbers.number_of(network.id, now), tunnel, end)

    def _note_plug(self, port_id: str) -> None:
        for each in (port_id, *self.trunks.sub_ports_of(port_id)):
            self._note_live(each)

    def _note_live(self, port_id: str) -> None:
        record = self.records.get(PortRecord.kind, port_id)
        if not isinstance(record, PortRecord):
            return
        ofport = self.ofport_of(port_id)
        live = self._live.setdefault(record.network_id, {})
        if record.admin_state_up and ofport is not None:
            self._forget_live(record.network_id, port_id)
            live[port_id] = port_number(ofport, record.segmentation_id)
            self._numbered[live[port_id]] = port_id
        else:
            self._forget_live(record.network_id, port_id)
        if not live:
            del self._live[record.network_id]

    def _forget_live(self, network_id: str, port_id: str) -> None:
        number = self._live.get(network_id, {}).pop(port_id, None)
        if number is not None and self._numbered.get(number) == port_id:
            del self._numbered[number]
