"""Networks, their segments, and where they are."""

from __future__ import annotations

from tests.bed.client_walk import Step, Walk

NETWORKS: Walk = (
    Step(
        "network create --description d --mtu 1400 --tag blue plain",
        {
            "name": "plain",
            "description": "d",
            "mtu": 1400,
            "status": "ACTIVE",
            "admin_state_up": True,
            "provider:network_type": "local",
            "router:external": False,
            "shared": False,
            "port_security_enabled": True,
            "l2_adjacency": True,
            "subnets": [],
            "tags": ["blue"],
        },
        keeps="plain",
    ),
    Step("network list", [{"ID": "{plain}", "Name": "plain", "Subnets": []}]),
    Step(
        "network list --long",
        [{"Status": "ACTIVE", "State": True, "Shared": False, "Network Type": "local", "Availability Zones": []}],
    ),
    Step("network set --name simple --description e --disable --mtu 1450 --tag red {plain}"),
    Step(
        "network show simple",
        {"id": "{plain}", "description": "e", "admin_state_up": False, "mtu": 1450, "tags": ["blue", "red"]},
    ),
    Step("network list --disable --tags blue,red", [{"Name": "simple"}]),
    Step("network list --any-tags green,red", [{"Name": "simple"}]),
    Step("network list --not-tags red", []),
    Step("network list --not-any-tags red,blue", []),
    Step("network unset --tag red {plain}"),
    Step("network set --enable --share {plain}"),
    Step("network list --share --enable --name simple", [{"ID": "{plain}"}]),
    Step(
        "network create --external --default --provider-network-type flat --provider-physical-network physnet1 out",
        {
            "router:external": True,
            "is_default": True,
            "provider:network_type": "flat",
            "provider:physical_network": "physnet1",
        },
        keeps="out",
    ),
    Step("network list --external", [{"Name": "out"}]),
    Step("network list --internal", [{"Name": "simple"}]),
    Step("network list --limit 1 --max-items 1", [{}]),
    Step("network list --sort-column Name --sort-descending -c Name", [{"Name": "simple"}, {"Name": "out"}]),
    Step("network set --no-default --internal {out}"),
    Step("network show {out}", {"router:external": False, "is_default": False}),
    Step(
        "network create --provider-network-type vlan --provider-physical-network physnet1 --provider-segment 150"
        " --no-share --disable-port-security --availability-zone-hint nova --dns-domain cloud.example. tagged",
        {
            "provider:segmentation_id": 150,
            "port_security_enabled": False,
            "availability_zone_hints": ["nova"],
            "dns_domain": "cloud.example.",
        },
        keeps="tagged",
    ),
    Step(
        "network list --provider-network-type vlan --provider-physical-network physnet1 --provider-segment 150",
        [{"Name": "tagged"}],
    ),
    Step(
        "network create --provider-network-type local --transparent-vlan clear",
        {"is_vlan_transparent": True, "provider:network_type": "local"},
    ),
    Step(
        "network create --provider-network-type vlan --provider-physical-network physnet1 --transparent-vlan lost",
        refused="Backend does not support VLAN Transparency on networks of type vlan.",
    ),
    Step("network set --provider-segment 160 {tagged}"),
    Step("network show {tagged}", {"provider:segmentation_id": 160}),
    Step("network create --availability-zone-hint mars lost", refused="AvailabilityZone mars could not be found."),
    Step("network show lost", refused="No Network found for lost"),
    Step("network delete {tagged} clear out simple"),
    Step("network list", []),
)

SEGMENTS: Walk = (
    Step("network create routed", keeps="routed"),
    Step(
        "network segment create --network {routed} --network-type vlan --physical-network physnet1 --segment 130"
        " --description d rack1",
        {
            "name": "rack1",
            "network_id": "{routed}",
            "network_type": "vlan",
            "physical_network": "physnet1",
            "segmentation_id": 130,
            "description": "d",
        },
        keeps="rack1",
    ),
    Step("network segment list", [{"ID": "{rack1}", "Segment": 130}, {"Network Type": "local", "Segment": None}]),
    Step(
        "network segment list --long --network {routed}",
        [{"Name": "rack1", "Physical Network": "physnet1"}, {"Name": None, "Physical Network": None}],
    ),
    Step("network segment set --name rack2 --description e {rack1}"),
    Step("network segment show rack2", {"id": "{rack1}", "description": "e"}),
    Step(
        "subnet create --network {routed} --subnet-range 10.3.0.0/24 --network-segment {rack1} on-rack",
        {"segment_id": "{rack1}"},
        keeps="on_rack",
    ),
    Step("network show {routed}", {"l2_adjacency": False, "subnets": ["{on_rack}"]}),
    # The host said that it has a bridge on the physical network; of the other one nobody knows.
    Step("port create --network {routed} --host host-a near", {"ip_allocation": "immediate"}, keeps="near"),
    Step("port list --fixed-ip subnet={on_rack} --host host-a", [{"ID": "{near}"}]),
    Step("port create --network {routed} --host host-z far", refused="is not connected to any segments"),
    Step("port delete {near}"),
    Step("network segment delete {rack1}", refused="The segment is still associated with subnet(s)"),
    Step("network delete {routed}"),
    Step("network segment list", []),
)

RANGES: Walk = (
    Step(
        "network segment range create --network-type vlan --physical-network physnet1 --minimum 200 --maximum 210"
        " --shared more",
        {
            "name": "more",
            "network_type": "vlan",
            "minimum": 200,
            "maximum": 210,
            "shared": True,
            "default": False,
            "available": ["200-210"],
            "used": {},
        },
        keeps="more",
    ),
    Step(
        "network segment range list",
        [{"ID": "{more}", "Minimum ID": 200}, {"Default": True, "Minimum ID": 100, "Maximum ID": 199}],
    ),
    Step("network segment range list --long --available", [{"Available": ["200-210"]}, {"Available": ["100-199"]}]),
    Step("network segment range list --used", []),
    Step("network segment range list --unused", [{}, {}]),
    Step("network segment range list --unavailable", []),
    Step("network segment range set --name most --minimum 200 --maximum 220 {more}"),
    Step("network segment range show most", {"id": "{more}", "maximum": 220, "available": ["200-220"]}),
    Step("network segment range delete {more}"),
)

PLACES: Walk = (
    Step(
        "network agent list",
        [
            {"Agent Type": "DHCP agent", "Host": "host-a", "Alive": True, "State": True, "Binary": "quantumd-dhcp"},
            {"Agent Type": "Open vSwitch agent", "Availability Zone": "nova", "Binary": "quantumd-l2"},
            {"Agent Type": "L3 agent", "Availability Zone": "nova", "Binary": "quantumd-l3"},
        ],
    ),
    Step("network agent list --agent-type dhcp --host host-a", [{"Agent Type": "DHCP agent"}], keeps="dhcp"),
    Step("network agent list --agent-type open-vswitch --long", [{"Host": "host-a"}], keeps="l2"),
    Step("network agent show {l2}", {"agent_type": "Open vSwitch agent", "alive": True, "host": "host-a"}),
    Step("network create placed", {"availability_zones": []}, keeps="placed"),
    Step("network agent list --network {placed}", []),
    Step("network agent add network --dhcp {dhcp} {placed}"),
    Step("network agent list --network {placed}", [{"ID": "{dhcp}"}]),
    Step("network list --agent {dhcp}", [{"ID": "{placed}"}]),
    Step("network show {placed}", {"availability_zones": ["nova"]}),
    Step("network agent remove network --dhcp {dhcp} {placed}"),
    Step("network list --agent {dhcp}", []),
    Step("network agent set --description old --disable {dhcp}"),
    Step("network agent show {dhcp}", {"description": "old", "admin_state_up": False}),
    # Networks have none without DHCP; routers have theirs.
    Step(
        "availability zone list --network",
        [{"Zone Name": "nova", "Zone Status": "not available"}, {"Zone Name": "nova", "Zone Status": "available"}],
    ),
    Step("network agent set --enable {dhcp}"),
    Step(
        "availability zone list --network --long",
        [
            {"Zone Name": "nova", "Zone Resource": "network", "Zone Status": "available"},
            {"Zone Name": "nova", "Zone Resource": "router", "Zone Status": "available"},
        ],
    ),
    # It is back with its next report.
    Step("network agent delete {l2}"),
    Step("network delete {placed}"),
)
