"""What a host tells of its ports after a pass, and of itself."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence

from attrs import define, frozen

from quantumd.converge.plan import Key
from quantumd.edge.ovsdb.interfaces import IOvsdb
from quantumd.l2.drivers.ovs.bridges import BridgePlan
from quantumd.l2.drivers.ovs.exits import Exits
from quantumd.l2.drivers.ovs.view import HostView
from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.messages import HostReport, PortReport
from quantumd.model.records import KINDS
from quantumd.version import VERSION


@frozen
class Concerned:
    """The ports that a pass was about: what is wrong with each (None: nothing), and which of them had flows before."""

    faults: Mapping[str, str | None]
    were_live: frozenset[str]


@define(eq=False)
class PortReports:
    """Tells of ports. ``owned``: the keys whose flows are there; ``realised``: with which version of their records."""

    _view: HostView
    _ovsdb: IOvsdb
    _exits: Sequence[Exits]

    def concerned(self, keys: frozenset[Key], faults: Mapping[Key, str], owned: Container[Key]) -> Concerned:
        """Return whom a pass was about, asked before anything is noted of it."""
        found: dict[str, str | None] = {}
        for key in keys:
            if key[0] == "network" and key not in faults and key not in owned:
                # Ports that were concluded before their network; others are told when their own turn comes.
                ports = self._view.ports_on(key[1])
                found.update((port_id, None) for port_id in ports if ("port", port_id) in owned)
        port_ids = [name for noun, name in keys if noun == "port"]
        found.update((port_id, faults.get(("port", port_id))) for port_id in port_ids)
        return Concerned(found, frozenset(port_id for port_id in port_ids if ("port", port_id) in owned))

    def of(self, concerned: Concerned, owned: Container[Key], realised: Mapping[Key, int]) -> tuple[PortReport, ...]:
        """Return the reports of those that the server may want to hear of."""
        return tuple(
            self._report(port_id, fault, owned, realised)
            for port_id, fault in concerned.faults.items()
            if port_id in concerned.were_live or self._is_of_interest(port_id)
        )

    def _is_of_interest(self, port_id: str) -> bool:
        """Whether the server may want to hear of a port: it is recorded here, or a device says it is this port."""
        return self._view.network_of(port_id) is not None or self._is_claimed(port_id)

    def _is_claimed(self, port_id: str) -> bool:
        """Whether a device says it is a port; the switch may be busy giving it a number, but has not failed to."""
        rows = (self._ovsdb.interfaces().get(name) for name in self._view.devices_of(port_id))
        return any(row is not None and (row.ofport is None or row.ofport > 0) for row in rows)

    def _report(
        self, port_id: str, fault: str | None, owned: Container[Key], realised: Mapping[Key, int]
    ) -> PortReport:
        version = realised.get(("port", port_id), 0)
        network_id = self._view.network_of(port_id)
        if ("network", network_id) not in owned:
            # Its network's own flows and group are not there yet.
            version = 0
        # Nobody told us of it: the server can bind it while the switch is still at work.
        is_plugged = self._is_claimed(port_id) if network_id is None else self._view.is_plugged(port_id)
        fault = fault or next(filter(None, (exits.fault_of(port_id) for exits in self._exits)), None)
        return PortReport(port_id, 0 if fault else version, is_plugged, fault)


def host_report(host: str, role: str, plan: BridgePlan, ovsdb: IOvsdb) -> HostReport:
    """Return what the host's role is and can do."""
    row = ovsdb.bridge(plan.integration)
    details = {
        "connectivity": "l2",
        "port_filter": True,
        "ovs_hybrid_plug": False,
        "ovs_create_tap": True,
        "datapath_type": row.datapath_type if row is not None else plan.datapath_type,
        "bridge_name": plan.integration,
        "bound_drivers": {"0": "openvswitch"},
    }
    return HostReport(
        host,
        role,
        VERSION,
        "ovs",
        json.dumps(details, sort_keys=True),
        physical_networks=tuple(sorted(plan.mappings)),
        tunnel_ip=plan.tunnels.local_ip,
        tunnel_types=plan.tunnels.types,
        record_kinds=_kinds(plan),
    )


def _kinds(plan: BridgePlan) -> tuple[str, ...]:
    """Return the kinds of records that the host has a use for."""
    unused: set[str] = set() if plan.points else {InstanceRecord.kind}
    if not any(point.is_of_network for point in plan.points):
        unused |= {DnsZoneRecord.kind, DnsNameRecord.kind}
    return tuple(each for each in KINDS if each not in unused)
