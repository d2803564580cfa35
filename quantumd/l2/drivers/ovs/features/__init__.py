"""What the pipeline can do, one pure file a feature. Nobody writes flows around these."""

from __future__ import annotations

from quantumd.l2.drivers.ovs.desired import (
    NetworkView,
    Objects,
    PeerView,
    PolicyView,
    PortView,
    PuntSettings,
    RemotePortView,
    RemoteView,
    ServicesView,
    SetView,
)
from quantumd.l2.drivers.ovs.features import (
    base,
    classify,
    dhcp,
    firewall,
    forward,
    guest_tags,
    mirror,
    mirror_loops,
    neighbours,
    packet_logging,
    physical,
    port_security,
    qos,
    services,
    storm,
    trunk,
    tunnel,
)


def bridge_objects(logging: PuntSettings, offered: ServicesView) -> Objects:
    """What the bridge holds whatever is plugged into it."""
    guarding = (*port_security.bridge_flows(), *firewall.bridge_flows())
    ends = (*classify.bridge_flows(), *trunk.bridge_flows(), *forward.bridge_flows(), *qos.bridge_flows())
    answering = (*neighbours.bridge_flows(), *services.bridge_flows(offered))
    flows = (*base.bridge_flows(), *guarding, *ends, *answering, *guest_tags.bridge_flows())
    return Objects(flows, tuple(forward.bridge_groups()), tuple(packet_logging.bridge_meters(logging)))


def port_objects(
    view: PortView, punt: PuntSettings, logging: PuntSettings, storm_pps: int, offered: ServicesView
) -> Objects:
    """What a live port asks for."""
    return Objects(
        flows=(
            *port_security.port_flows(view),
            *firewall.port_flows(view),
            *packet_logging.port_flows(view, logging),
            *dhcp.port_flows(view, punt),
            *forward.port_flows(view),
            *qos.port_flows(view),
            *trunk.port_flows(view),
            *mirror.port_flows(view),
            *mirror_loops.port_flows(view),
            *storm.port_flows(view, storm_pps),
            *guest_tags.port_flows(view),
            *services.port_flows(view, offered),
            *classify.port_flows(view),
        ),
        meters=(
            *dhcp.port_meters(view, punt),
            *qos.port_meters(view),
            *storm.port_meters(view, storm_pps),
            *services.port_meters(view, offered),
        ),
    )


def network_objects(view: NetworkView, offered: ServicesView) -> Objects:
    """What a network with live ports asks for."""
    return Objects(
        flows=(
            *dhcp.network_flows(view),
            *forward.network_flows(view),
            *physical.network_flows(view),
            *tunnel.network_flows(view),
            *services.network_flows(view, offered),
        ),
        groups=tuple(forward.network_groups(view)),
    )


def peer_objects(view: PeerView) -> Objects:
    """What a host with ports of our networks asks for."""
    return Objects(flows=tuple(tunnel.peer_flows(view)))


def remote_port_objects(view: RemotePortView) -> Objects:
    """What a port of another host asks for."""
    return Objects(flows=(*tunnel.remote_port_flows(view), *neighbours.remote_port_flows(view)))


def policy_objects(view: PolicyView) -> Objects:
    """What the groups of a port ask for together."""
    # Two groups may say the same, and then have the same flow.
    return Objects(flows=tuple({flow.key: flow for flow in firewall.policy_flows(view)}.values()))


def set_objects(view: SetView) -> Objects:
    """What a set of addresses that rules name asks for."""
    return Objects(flows=tuple(firewall.set_flows(view)))


def remote_objects(view: RemoteView) -> Objects:
    """What a prefix in such sets asks for."""
    return Objects(flows=tuple(firewall.remote_flows(view)))
