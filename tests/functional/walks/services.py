"""QoS policies, grants, flavors, and what stands ready for a project."""

from __future__ import annotations

from tests.bed.client_walk import Step, Walk

QOS: Walk = (
    Step(
        "network qos policy create --share --description d --default gold",
        {"name": "gold", "description": "d", "shared": True, "is_default": True, "rules": []},
        keeps="gold",
    ),
    Step("network qos policy create --no-share --no-default tin", {"shared": False, "is_default": False}),
    Step("network qos policy list --share", [{"ID": "{gold}", "Name": "gold", "Shared": True, "Default": True}]),
    Step("network qos policy list --no-share", [{"Name": "tin", "Shared": False, "Default": False}]),
    Step("network qos policy set --name silver --description e --no-share --no-default {gold}"),
    Step("network qos policy show silver", {"id": "{gold}", "shared": False, "is_default": False}),
    Step(
        "network qos rule create --type bandwidth-limit --max-kbps 1000 --max-burst-kbits 100 --egress {gold}",
        {"max_kbps": 1000, "max_burst_kbps": 100, "direction": "egress"},
        keeps="limit",
    ),
    Step("network qos rule create --type dscp-marking --dscp-mark 26 {gold}", {"dscp_mark": 26}, keeps="mark"),
    Step(
        "network qos rule create --type minimum-bandwidth --min-kbps 100 --egress {gold}",
        {"min_kbps": 100, "direction": "egress"},
        keeps="least",
    ),
    Step(
        "network qos rule create --type minimum-packet-rate --min-kpps 100 --any {gold}",
        {"min_kpps": 100, "direction": "any"},
        keeps="rate",
    ),
    Step(
        "network qos rule list {gold}",
        [
            {"ID": "{limit}", "Type": "bandwidth_limit", "Max Kbps": 1000, "Max Burst Kbits": 100},
            {"ID": "{mark}", "Type": "dscp_marking", "DSCP mark": 26},
            {"ID": "{least}", "Type": "minimum_bandwidth", "Min Kbps": 100, "Direction": "egress"},
            {"ID": "{rate}", "Type": "minimum_packet_rate", "Min Kpps": 100, "QoS Policy ID": "{gold}"},
        ],
    ),
    Step("network qos rule set --max-kbps 2000 --ingress {gold} {limit}"),
    Step("network qos rule show {gold} {limit}", {"max_kbps": 2000, "direction": "ingress"}),
    Step("network qos rule set --dscp-mark 28 {gold} {mark}"),
    Step("network qos rule set --min-kbps 200 {gold} {least}"),
    Step("network qos rule set --min-kpps 200 {gold} {rate}"),
    Step("network qos rule show {gold} {rate}", {"min_kpps": 200}),
    Step("network qos rule delete {gold} {limit}"),
    Step("network qos rule show {gold} {limit}", refused="Rule not found"),
    Step("network qos rule type list --all-supported", [{}, {}, {}, {}, {"Type": "dscp_marking"}]),
    Step("network qos rule type show dscp_marking", {"rule_type_name": "dscp_marking"}),
    Step("network create --qos-policy {gold} paced", {"qos_policy_id": "{gold}"}, keeps="paced"),
    Step("port create --network {paced} runner", {"qos_policy_id": None, "qos_network_policy_id": "{gold}"}),
    Step("network qos policy delete {gold}", refused="is used by network"),
    Step("network set --no-qos-policy {paced}"),
    Step("network qos policy delete {gold} tin"),
    Step("port delete runner"),
    Step("network delete {paced}"),
)

GRANTS: Walk = (
    Step("network create ours", keeps="network"),
    Step("address scope create ours", keeps="address_scope"),
    Step("subnet pool create --pool-prefix 10.0.0.0/8 ours", keeps="subnetpool"),
    Step("security group create ours", keeps="security_group"),
    Step("address group create ours", keeps="address_group"),
    Step("network qos policy create ours", keeps="qos_policy"),
    *(
        Step(
            f"network rbac create --type {kind} --action access_as_shared --target-all-projects ours",
            {"object_type": kind, "object_id": f"{{{kind}}}", "target_project_id": "*", "action": "access_as_shared"},
            keeps=f"grant_{kind}",
        )
        for kind in ("network", "address_scope", "subnetpool", "security_group", "address_group", "qos_policy")
    ),
    Step("network rbac list", [{}, {}, {}, {}, {}, {"ID": "{grant_network}", "Object ID": "{network}"}]),
    Step(
        "network rbac list --type subnetpool --action access_as_shared --long",
        [{"Object Type": "subnetpool", "Action": "access_as_shared"}],
    ),
    Step("network rbac show {grant_network}", {"object_id": "{network}"}),
    *(
        Step(f"{noun} show ours", {shown: True})
        for noun, shown in (
            ("network", "shared"),
            ("address scope", "shared"),
            ("subnet pool", "shared"),
            ("security group", "is_shared"),
            ("network qos policy", "shared"),
        )
    ),
    Step(
        "network rbac delete {grant_network} {grant_address_scope} {grant_subnetpool} {grant_security_group}"
        " {grant_address_group} {grant_qos_policy}"
    ),
    Step("network rbac list", []),
    Step("network show ours", {"shared": False}),
    *(
        Step(f"{noun} delete ours")
        for noun in ("network", "subnet pool", "address scope", "security group", "address group", "network qos policy")
    ),
)

FLAVORS: Walk = (
    Step(
        "network flavor create --service-type L3_ROUTER_NAT --description d --enable big",
        {"name": "big", "service_type": "L3_ROUTER_NAT", "enabled": True, "service_profile_ids": []},
        keeps="big",
    ),
    Step("network flavor list", [{"ID": "{big}", "Name": "big", "Enabled": True, "Service Type": "L3_ROUTER_NAT"}]),
    Step("network flavor set --name huge --description e --disable {big}"),
    Step(
        "network flavor profile create --description d --enable --metainfo m",
        {"description": "d", "enabled": True, "meta_info": "m", "driver": ""},
        keeps="how",
    ),
    Step("network flavor profile list", [{"ID": "{how}", "Metainfo": "m"}]),
    Step("network flavor profile set --description e --disable --metainfo n {how}"),
    Step("network flavor profile show {how}", {"description": "e", "enabled": False, "meta_info": "n"}),
    Step("network flavor profile set --enable {how}"),
    Step("network flavor add profile {big} {how}"),
    Step("network flavor show huge", {"enabled": False, "description": "e", "service_profile_ids": ["{how}"]}),
    Step("network flavor profile delete {how}", refused="is used by some service instance"),
    Step("network flavor remove profile {big} {how}"),
    Step("network flavor profile delete {how}"),
    Step("network flavor delete huge"),
    Step("network flavor list", []),
    Step("network service provider list", [{"Service Type": "L3_ROUTER_NAT", "Name": "quantumd", "Default": True}]),
    Step("extension show network-ip-availability", {"alias": "network-ip-availability"}),
)
