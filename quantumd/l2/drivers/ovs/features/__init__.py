"""What the pipeline can do, one pure file a feature. Nobody writes flows around these."""

from __future__ import annotations

from quantumd.l2.drivers.ovs.desired import NetworkView, Objects, PortView, PuntSettings
from quantumd.l2.drivers.ovs.features import base, classify, dhcp, forward, physical


def bridge_objects() -> Objects:
    """What the bridge holds whatever is plugged into it."""
    return Objects(flows=tuple(base.bridge_flows()))


def port_objects(view: PortView, punt: PuntSettings) -> Objects:
    """What a live port asks for."""
    return Objects(
        flows=(*dhcp.port_flows(view, punt), *forward.port_flows(view), *classify.port_flows(view)),
        meters=tuple(dhcp.port_meters(view, punt)),
    )


def network_objects(view: NetworkView) -> Objects:
    """What a network with live ports asks for."""
    return Objects(
        flows=(*dhcp.network_flows(view), *forward.network_flows(view), *physical.network_flows(view)),
        groups=tuple(forward.network_groups(view)),
    )
