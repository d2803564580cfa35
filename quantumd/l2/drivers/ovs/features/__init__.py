"""What the pipeline can do, one pure file a feature. Nobody writes flows around these."""

from __future__ import annotations

from quantumd.l2.drivers.ovs.desired import NetworkView, Objects, PeerView, PortView, PuntSettings, RemotePortView
from quantumd.l2.drivers.ovs.features import base, classify, dhcp, forward, neighbours, physical, tunnel


def bridge_objects() -> Objects:
    """What the bridge holds whatever is plugged into it."""
    return Objects(flows=(*base.bridge_flows(), *neighbours.bridge_flows()))


def port_objects(view: PortView, punt: PuntSettings) -> Objects:
    """What a live port asks for."""
    return Objects(
        flows=(*dhcp.port_flows(view, punt), *forward.port_flows(view), *classify.port_flows(view)),
        meters=tuple(dhcp.port_meters(view, punt)),
    )


def network_objects(view: NetworkView) -> Objects:
    """What a network with live ports asks for."""
    return Objects(
        flows=(
            *dhcp.network_flows(view),
            *forward.network_flows(view),
            *physical.network_flows(view),
            *tunnel.network_flows(view),
        ),
        groups=tuple(forward.network_groups(view)),
    )


def peer_objects(view: PeerView) -> Objects:
    """What a host with ports of our networks asks for."""
    return Objects(flows=tuple(tunnel.peer_flows(view)))


def remote_port_objects(view: RemotePortView) -> Objects:
    """What a port of another host asks for."""
    return Objects(flows=(*tunnel.remote_port_flows(view), *neighbours.remote_port_flows(view)))
