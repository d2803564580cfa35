"""Routers, floating IPs, and the agents that carry them."""

from __future__ import annotations

from tests.bed.client_walk import Step, Walk

ROUTERS: Walk = (
    Step("network create --external outside", keeps="outside"),
    Step("subnet create --network {outside} --subnet-range 203.0.113.0/24 outer", keeps="outer"),
    Step("network create inside", keeps="inside"),
    Step("subnet create --network {inside} --subnet-range 10.0.0.0/24 inner", keeps="inner"),
    Step("subnet create --network {inside} --subnet-range 10.0.1.0/24 other", keeps="other"),
    Step("port create --network {inside} --fixed-ip subnet={other} door", keeps="door"),
    Step(
        "router create --description d --disable --tag blue edge",
        {
            "name": "edge",
            "description": "d",
            "admin_state_up": False,
            "external_gateway_info": None,
            "routes": [],
            "status": "ACTIVE",
            "tags": ["blue"],
        },
        keeps="edge",
    ),
    Step("router list", [{"ID": "{edge}", "Name": "edge", "Status": "ACTIVE", "State": False}]),
    Step("router list --long --name edge --disable --tags blue", [{"Routes": [], "External gateway info": None}]),
    Step("router set --name gate --description e --enable --tag red {edge}"),
    Step("router show gate", {"id": "{edge}", "description": "e", "admin_state_up": True, "tags": ["blue", "red"]}),
    Step("router unset --tag red {edge}"),
    Step("router list --enable --not-tags red", [{"Name": "gate"}]),
    Step("router add subnet {edge} {inner}"),
    Step("router add port {edge} {door}"),
    Step("port list --router {edge}", [{"ID": "{door}"}, {}]),
    Step("router set --external-gateway {outside} --fixed-ip subnet={outer},ip-address=203.0.113.9 {edge}"),
    Step("router set --external-gateway {outside} --disable-snat {edge}"),
    Step("router set --route destination=192.0.2.0/24,gateway=10.0.0.9 {edge}"),
    Step("router show {edge}", {"routes": [{"destination": "192.0.2.0/24", "nexthop": "10.0.0.9"}]}),
    Step("router add route --route destination=192.0.3.0/24,gateway=10.0.0.9 {edge}"),
    Step("router remove route --route destination=192.0.2.0/24,gateway=10.0.0.9 {edge}"),
    Step("router show {edge}", {"routes": [{"destination": "192.0.3.0/24", "nexthop": "10.0.0.9"}]}),
    Step("router remove subnet {edge} {inner}", refused="is required by one or more routes"),
    Step("router unset --route destination=192.0.3.0/24,gateway=10.0.0.9 {edge}"),
    Step("router delete {edge}", refused="still attached"),
    Step("router unset --external-gateway {edge}"),
    Step("router show {edge}", {"external_gateway_info": None}),
    Step("router remove subnet {edge} {inner}"),
    Step("router remove port {edge} {door}"),
    Step("router delete gate"),
    Step("router list", []),
    Step("network delete {outside} {inside}"),
)

_OUTSIDE, _BEYOND = (
    {"network_id": network, "external_fixed_ips": [{"subnet_id": subnet, "ip_address": address}]}
    for network, subnet, address in (
        ("{outside}", "{outer}", "203.0.113.5"),
        ("{beyond}", "{further}", "198.51.100.9"),
    )
)
GATEWAYS: Walk = (
    Step("network create --external outside", keeps="outside"),
    Step("subnet create --network {outside} --subnet-range 203.0.113.0/24 outer", keeps="outer"),
    Step("network create --external beyond", keeps="beyond"),
    Step("subnet create --network {beyond} --subnet-range 198.51.100.0/24 further", keeps="further"),
    Step(
        "router create --external-gateway {outside} --external-gateway {beyond}"
        " --fixed-ip subnet={outer},ip-address=203.0.113.5 --fixed-ip subnet={further},ip-address=198.51.100.9"
        " --enable-default-route-ecmp edge",
        keeps="edge",
    ),
    Step(
        "router show {edge}",
        {
            "external_gateway_info": {**_OUTSIDE, "enable_snat": True},
            "external_gateways": [_OUTSIDE, _BEYOND],
            "enable_default_route_ecmp": True,
        },
    ),
    Step("router set --disable-default-route-ecmp {edge}"),
    Step("router add gateway {edge} {outside} --fixed-ip ip-address=203.0.113.7"),
    Step("router remove gateway {edge} {outside}", refused="multiple gateway ports are attached to the same network"),
    Step("router remove gateway {edge} {outside} --fixed-ip ip-address=203.0.113.7", {"id": "{edge}"}),
    Step("router remove gateway {edge} {beyond} --fixed-ip subnet={further}"),
    Step("router remove gateway {edge} {beyond}", refused="could not match a gateway port"),
    Step("router show {edge}", {"external_gateways": [_OUTSIDE], "enable_default_route_ecmp": False}),
    Step(
        "router set --external-gateway {beyond} --external-gateway {outside}"
        " --fixed-ip subnet={further},ip-address=198.51.100.9 {edge}"
    ),
    Step("router show {edge}", {"external_gateways": [_BEYOND, _OUTSIDE]}),
    Step("router unset --external-gateway {edge}"),
    Step("router show {edge}", {"external_gateways": [_OUTSIDE]}),
    Step("router delete {edge}"),
    Step("network delete {outside} {beyond}"),
)

FLOATING: Walk = (
    Step("network create --external outside", keeps="outside"),
    Step("subnet create --network {outside} --subnet-range 203.0.113.0/24 outer", keeps="outer"),
    Step("network create inside", keeps="inside"),
    Step("subnet create --network {inside} --subnet-range 10.0.0.0/24 inner", keeps="inner"),
    Step("port create --network {inside} --fixed-ip ip-address=10.0.0.5 web", keeps="web"),
    Step("router create --external-gateway {outside} edge", keeps="edge"),
    Step("router add subnet {edge} {inner}"),
    Step(
        "floating ip create --floating-ip-address 203.0.113.50 --subnet {outer} --port {web}"
        " --fixed-ip-address 10.0.0.5 --description d --tag blue {outside}",
        {
            "floating_ip_address": "203.0.113.50",
            "fixed_ip_address": "10.0.0.5",
            "floating_network_id": "{outside}",
            "port_id": "{web}",
            "router_id": "{edge}",
            "description": "d",
            "tags": ["blue"],
        },
        keeps="led",
    ),
    Step("floating ip create {outside}", {"port_id": None, "status": "DOWN", "port_details": None}, keeps="free"),
    Step("floating ip list --network {outside} --tags blue", [{"ID": "{led}", "Port": "{web}"}]),
    Step("floating ip list --port {web} --fixed-ip-address 10.0.0.5 --router {edge}", [{"ID": "{led}"}]),
    Step("floating ip list --floating-ip-address 203.0.113.50 --long", [{"Router": "{edge}", "Description": "d"}]),
    Step("floating ip list --status DOWN --not-tags blue", [{"ID": "{free}"}]),
    Step("floating ip set --port {web} {free}", refused="already has a floating IP"),
    Step("router remove subnet {edge} {inner}", refused="is required by one or more floating IPs"),
    Step("floating ip unset --port {led}"),
    Step("floating ip set --port {web} --fixed-ip-address 10.0.0.5 --description e --tag red 203.0.113.50"),
    Step("floating ip unset --tag blue {led}"),
    Step("floating ip show 203.0.113.50", {"id": "{led}", "port_id": "{web}", "description": "e", "tags": ["red"]}),
    Step("floating ip delete {led} {free}"),
    Step("router remove subnet {edge} {inner}"),
    Step("router delete {edge}"),
    Step("port delete {web}"),
    Step("network delete {outside} {inside}"),
)

FORWARDED: Walk = (
    Step("network create --external outside", keeps="outside"),
    Step("subnet create --network {outside} --subnet-range 203.0.113.0/24 outer", keeps="outer"),
    Step("network create inside", keeps="inside"),
    Step("subnet create --network {inside} --subnet-range 10.0.0.0/24 inner", keeps="inner"),
    Step("port create --network {inside} --fixed-ip ip-address=10.0.0.5 web", keeps="web"),
    Step("port create --network {inside} --fixed-ip ip-address=10.0.0.6 mail", keeps="mail"),
    Step("router create --external-gateway {outside} edge", keeps="edge"),
    Step("router add subnet {edge} {inner}"),
    Step("floating ip create {outside}", keeps="shared"),
    Step(
        "floating ip port forwarding create --internal-ip-address 10.0.0.5 --port {web} --internal-protocol-port 8080"
        " --external-protocol-port 80 --protocol tcp --description d {shared}",
        {
            "internal_ip_address": "10.0.0.5",
            "internal_port_id": "{web}",
            "internal_port": 8080,
            "external_port": 80,
            "protocol": "tcp",
            "description": "d",
        },
        keeps="http",
    ),
    Step(
        "floating ip port forwarding create --internal-ip-address 10.0.0.6 --port {mail}"
        " --internal-protocol-port 7000:7009 --external-protocol-port 6000:6009 --protocol udp {shared}",
        {"internal_port_range": "7000:7009", "external_port_range": "6000:6009"},
        keeps="many",
    ),
    Step(
        "floating ip port forwarding create --internal-ip-address 10.0.0.6 --port {mail} --internal-protocol-port 1"
        " --external-protocol-port 80 --protocol tcp {shared}",
        refused="There is a port collision with the external_port_range",
    ),
    Step("floating ip show {shared}", {"router_id": "{edge}", "port_id": None}),
    Step(
        "floating ip port forwarding list --port {web} --external-protocol-port 80 --protocol tcp {shared}",
        [{"ID": "{http}", "Internal Port ID": "{web}", "Internal Port": 8080, "External Port": 80}],
    ),
    Step("floating ip port forwarding list --sort-column Protocol {shared}", [{"ID": "{http}"}, {"ID": "{many}"}]),
    Step(
        "floating ip port forwarding set --port {mail} --internal-ip-address 10.0.0.6 --internal-protocol-port 25"
        " --external-protocol-port 26 --protocol udp --description e {shared} {http}"
    ),
    Step(
        "floating ip port forwarding show {shared} {http}",
        {
            "internal_port_id": "{mail}",
            "internal_port": 25,
            "external_port": 26,
            "protocol": "udp",
            "description": "e",
        },
    ),
    Step("floating ip set --port {web} {shared}", refused="in use by Port Forwarding resources"),
    Step("floating ip delete {shared}", refused="in use by Port Forwarding resources"),
    Step("router remove subnet {edge} {inner}", refused="is required by one or more floating IPs"),
    Step("floating ip port forwarding delete {shared} {http} {many}"),
    Step("floating ip show {shared}", {"router_id": None}),
    Step("floating ip delete {shared}"),
    Step("router remove subnet {edge} {inner}"),
    Step("router delete {edge}"),
    Step("port delete {web} {mail}"),
    Step("network delete {outside} {inside}"),
)

FLAVORED: Walk = (
    Step("network flavor create --service-type L3_ROUTER_NAT big", keeps="big"),
    Step("router create --flavor-id {big} edge", refused="is not associated with flavor"),
    Step("network flavor profile create --driver quantumd.l3", keeps="how"),
    Step("network flavor add profile {big} {how}"),
    Step("router create --flavor {big} edge", {"flavor_id": "{big}"}, keeps="edge"),
    Step("network flavor delete {big}", refused="is used by some service instance"),
    Step("router delete {edge}"),
    Step("network flavor delete {big}"),
    Step("network flavor profile delete {how}"),
)

METERED: Walk = (
    Step(
        "network meter create --description d --share all",
        {"name": "all", "description": "d", "shared": True},
        keeps="all",
    ),
    Step("network meter create mine", {"shared": False}, keeps="mine"),
    Step("network meter list --sort-column Name", [{"ID": "{all}"}, {"ID": "{mine}"}]),
    Step("network meter show mine", {"id": "{mine}", "name": "mine"}),
    Step(
        "network meter rule create --egress --remote-ip-prefix 10.0.0.0/24 {mine}",
        {"direction": "egress", "remote_ip_prefix": "10.0.0.0/24", "is_excluded": False, "metering_label_id": "{mine}"},
        keeps="rule",
    ),
    Step("network meter rule create --ingress --exclude --remote-ip-prefix 10.0.0.9/32 {mine}", keeps="but"),
    Step("network meter rule list --sort-column Excluded", [{"ID": "{rule}"}, {"ID": "{but}"}]),
    Step("network meter rule show {but}", {"direction": "ingress", "is_excluded": True}),
    Step("network meter rule delete {rule} {but}"),
    Step("network meter delete {all} mine"),
)

HELPED: Walk = (
    Step("router create edge", keeps="edge"),
    Step(
        "network l3 conntrack helper create --helper ftp --protocol tcp --port 21 {edge}",
        {"helper": "ftp", "protocol": "tcp", "port": 21},
        keeps="ftp",
    ),
    Step("network l3 conntrack helper create --helper tftp --protocol udp --port 69 {edge}", keeps="tftp"),
    Step("network l3 conntrack helper create --helper ftp --protocol udp --port 9 {edge}", refused="does not support"),
    Step(
        "network l3 conntrack helper list --helper ftp --protocol tcp {edge}",
        [{"ID": "{ftp}", "Helper": "ftp", "Protocol": "tcp", "Port": 21}],
    ),
    Step("network l3 conntrack helper set --helper sip --protocol udp --port 5060 {edge} {ftp}"),
    Step("network l3 conntrack helper show {edge} {ftp}", {"helper": "sip", "protocol": "udp", "port": 5060}),
    Step("network l3 conntrack helper delete {edge} {ftp} {tftp}"),
    Step("network l3 conntrack helper list {edge}", []),
    Step("router delete {edge}"),
)

PROXIED: Walk = (
    Step("address scope create --ip-version 6 world", keeps="scope"),
    Step(
        "subnet pool create --address-scope {scope} --pool-prefix 2001:db8::/48 --default-prefix-length 64 all",
        keeps="pool",
    ),
    Step("network create --external outside", keeps="outside"),
    Step("subnet create --network {outside} --ip-version 6 --subnet-pool {pool} outer"),
    Step("network create inside", keeps="inside"),
    Step("subnet create --network {inside} --ip-version 6 --subnet-pool {pool} inner", keeps="inner"),
    Step("port create --network {inside} web", keeps="web"),
    Step("router create --external-gateway {outside} edge", {"enable_ndp_proxy": False}, keeps="edge"),
    Step("router add subnet {edge} {inner}"),
    Step("router ndp proxy create --name n --port {web} {edge}", refused="must be set as True"),
    Step("router set --enable-ndp-proxy {edge}"),
    Step("router show {edge}", {"enable_ndp_proxy": True}),
    Step(
        "router ndp proxy create --name n --port {web} --description d {edge}",
        {"name": "n", "port_id": "{web}", "router_id": "{edge}", "description": "d", "revision_number": 1},
        keeps="proxy",
    ),
    Step(
        "router ndp proxy create --name o --port {web} --ip-address 2001:db8:9::9 {edge}",
        refused="not belong",
    ),
    Step(
        "router ndp proxy list --router {edge} --port {web} --name n",
        [{"ID": "{proxy}", "Name": "n", "Router ID": "{edge}"}],
    ),
    Step("router ndp proxy list --ip-address 2001:db8:9::9", []),
    Step("router ndp proxy set --name m --description e {proxy}"),
    Step("router ndp proxy show m", {"id": "{proxy}", "name": "m", "description": "e"}),
    Step("router unset --external-gateway {edge}", refused="ndp proxies still in use"),
    Step("router remove subnet {edge} {inner}", refused="ndp proxies still in use"),
    Step("router ndp proxy delete {proxy}"),
    Step("router set --disable-ndp-proxy {edge}"),
    Step("router remove subnet {edge} {inner}"),
    Step("router delete {edge}"),
    # The client gives a new router its gateways afterwards where there may be several.
    Step("router create --external-gateway {outside} --enable-ndp-proxy edge", refused="Can not enable ndp proxy"),
    Step("port delete {web}"),
    Step("network delete {outside} {inside}"),
    Step("subnet pool delete {pool}"),
    Step("address scope delete {scope}"),
)

AGENTS: Walk = (
    Step("router create carried", keeps="carried"),
    Step("network agent list --router {carried}", [{"Agent Type": "L3 agent", "Host": "host-a"}], keeps="l3"),
    Step("router list --agent {l3}", [{"ID": "{carried}"}]),
    Step("network agent set --disable {l3}"),
    Step("network agent remove router --l3 {l3} {carried}"),
    Step("router list --agent {l3}", []),
    Step("network agent set --enable {l3}"),
    Step("network agent add router --l3 {l3} {carried}"),
    Step("network agent list --router {carried} --long", [{"Agent Type": "L3 agent"}]),
    Step("router delete {carried}"),
)
