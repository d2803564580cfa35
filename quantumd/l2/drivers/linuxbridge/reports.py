"""What a host tells of itself."""

from __future__ import annotations

import json

from quantumd.l2.drivers.linuxbridge.settings import Exits
from quantumd.model.messages import HostReport
from quantumd.model.network import VXLAN
from quantumd.model.records import NetworkRecord, PeerRecord, PortRecord, RemotePortRecord
from quantumd.model.security_records import AddressSetRecord, SecurityGroupRecord
from quantumd.version import VERSION

RECORDS = (NetworkRecord, PortRecord, PeerRecord, RemotePortRecord, SecurityGroupRecord, AddressSetRecord)
"""The kinds of records that this driver acts by."""


def host_report(host: str, role: str, exits: Exits) -> HostReport:
    """Return what the host's role is and can do. Nova names the bridge of a port by itself, as this driver does."""
    details = {"connectivity": "l2", "port_filter": True, "bound_drivers": {"0": "linuxbridge"}}
    return HostReport(
        host,
        role,
        VERSION,
        "bridge",
        json.dumps(details, sort_keys=True),
        physical_networks=tuple(sorted(exits.interfaces)),
        tunnel_ip=exits.tunnel_ip,
        tunnel_types=(VXLAN,) if exits.tunnel_ip else (),
        record_kinds=tuple(record.kind for record in RECORDS),
    )
