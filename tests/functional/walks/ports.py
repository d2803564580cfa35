"""Ports, trunks and local IPs."""

from __future__ import annotations

from tests.bed.client_walk import Step, Walk

PORTS: Walk = (
    Step("network create wire", keeps="wire"),
    Step("subnet create --network {wire} --subnet-range 10.0.0.0/24 low", keeps="low"),
    Step("subnet create --network {wire} --subnet-range 10.0.1.0/24 high", keeps="high"),
    Step("security group create doors", keeps="doors"),
    Step("network qos policy create fast", keeps="fast"),
    Step(
        "port create --network {wire} --fixed-ip subnet={low},ip-address=10.0.0.50 --fixed-ip subnet={high}"
        " --mac-address fa:16:3e:11:22:33 --device vm1 --device-owner compute:nova --host nowhere"
        " --vnic-type normal --binding-profile a=b --description d --security-group {doors}"
        " --allowed-address ip-address=10.0.0.77,mac-address=fa:16:3e:00:00:77"
        " --extra-dhcp-option name=bootfile-name,value=x.0,ip-version=4 --dns-name web --dns-domain own.example."
        " --qos-policy {fast} --disable --enable-uplink-status-propagation --numa-policy-preferred"
        " --hint ovs-tx-steering=hash --device-profile gpu --tag blue one",
        {
            "name": "one",
            "admin_state_up": False,
            "allowed_address_pairs": [{"mac_address": "fa:16:3e:00:00:77", "ip_address": "10.0.0.77"}],
            "binding_host_id": "nowhere",
            "binding_profile": {"a": "b"},
            "binding_vif_type": "binding_failed",
            "binding_vnic_type": "normal",
            "device_id": "vm1",
            "device_owner": "compute:nova",
            "device_profile": "gpu",
            "dns_name": "web",
            "dns_domain": "own.example.",
            "extra_dhcp_opts": [{"opt_name": "bootfile-name", "opt_value": "x.0", "ip_version": 4}],
            "hints": {"openvswitch": {"other_config": {"tx-steering": "hash"}}},
            "mac_address": "fa:16:3e:11:22:33",
            "numa_affinity_policy": "preferred",
            "propagate_uplink_status": True,
            "qos_policy_id": "{fast}",
            "security_group_ids": ["{doors}"],
            "status": "DOWN",
            "tags": ["blue"],
        },
        keeps="one",
    ),
    Step(
        "port list --network {wire} --device-owner compute:nova --device-id vm1 --host nowhere"
        " --mac-address fa:16:3e:11:22:33 --fixed-ip ip-address=10.0.0.50 --security-group {doors} --name one"
        " --tags blue --status DOWN",
        [{"ID": "{one}", "Name": "one", "MAC Address": "fa:16:3e:11:22:33", "Status": "DOWN"}],
    ),
    Step("port list --fixed-ip ip-substring=0.0.5 --fixed-ip subnet={low}", [{"ID": "{one}"}]),
    Step(
        "port list --long --name one",
        [{"Security Groups": ["{doors}"], "Device Owner": "compute:nova", "Tags": ["blue"], "Trunk subports": []}],
    ),
    Step("port set --mac-address fa:16:3e:11:22:44 {one}", refused="port is already bound"),
    Step("port set --disable-port-security {one}", refused="Port has security group associated."),
    Step("port unset --host --hints {one}"),
    Step(
        "port set --name uno --description e --enable --dns-name www --mac-address fa:16:3e:11:22:44"
        " --fixed-ip subnet={low},ip-address=10.0.0.51 --allowed-address ip-address=10.0.0.78"
        " --extra-dhcp-option name=mtu,value=1400 --binding-profile c=d --data-plane-status ACTIVE --tag red"
        " --device vm2 --device-owner compute:z --numa-policy-required --vnic-type direct --trusted {one}"
    ),
    Step(
        "port show uno",
        {
            "id": "{one}",
            "admin_state_up": True,
            "binding_host_id": "",
            "binding_profile": {"a": "b", "c": "d", "trusted": True},
            "binding_vif_type": "unbound",
            "binding_vnic_type": "direct",
            "data_plane_status": "ACTIVE",
            "device_id": "vm2",
            "dns_name": "www",
            "hints": None,
            "mac_address": "fa:16:3e:11:22:44",
            "numa_affinity_policy": "required",
            "tags": ["blue", "red"],
            "trusted": True,
        },
    ),
    Step(
        "port unset --fixed-ip subnet={low},ip-address=10.0.0.51 --binding-profile c --security-group {doors}"
        " --allowed-address ip-address=10.0.0.77,mac-address=fa:16:3e:00:00:77 --qos-policy --data-plane-status"
        " --numa-policy --tag red --device --device-owner {one}"
    ),
    Step("port set --no-allowed-address --no-fixed-ip --fixed-ip subnet={high} --no-binding-profile {one}"),
    Step("port set --disable-port-security --disable-uplink-status-propagation --no-tag {one}"),
    Step(
        "port show {one}",
        {
            "allowed_address_pairs": [],
            "data_plane_status": None,
            "device_id": "",
            "device_owner": "",
            "numa_affinity_policy": None,
            "port_security_enabled": False,
            "propagate_uplink_status": False,
            "qos_policy_id": None,
            "security_group_ids": [],
            "tags": [],
        },
    ),
    Step(
        "port create --network {wire} --no-fixed-ip --no-security-group --disable-port-security bare",
        {"fixed_ips": [], "ip_allocation": "none", "port_security_enabled": False, "security_group_ids": []},
    ),
    Step(
        "port create --network {wire} --hardware-offload-type switchdev --vnic-type direct --not-trusted"
        " --numa-policy-socket card",
        {"hardware_offload_type": "switchdev", "trusted": False, "numa_affinity_policy": "socket"},
    ),
    Step("network delete {wire}", refused="There are one or more ports still in use on the network"),
    Step("port delete {one} bare card"),
    Step("port list --device-owner compute:nova", []),
    Step("network delete {wire}"),
    Step("security group delete {doors}"),
    Step("network qos policy delete {fast}"),
)

TRUNKS: Walk = (
    Step("network create rail", keeps="rail"),
    Step("port create --network {rail} engine", keeps="engine"),
    Step("port create --network {rail} wagon1", keeps="wagon1"),
    Step("port create --network {rail} wagon2", keeps="wagon2"),
    Step("port create --network {rail} wagon3", keeps="wagon3"),
    Step(
        "network trunk create --parent-port engine --subport port={wagon1},segmentation-type=vlan,segmentation-id=5"
        " --description d --disable train",
        {
            "name": "train",
            "port_id": "{engine}",
            "is_admin_state_up": False,
            "description": "d",
            "sub_ports": [{"port_id": "{wagon1}", "segmentation_type": "vlan", "segmentation_id": 5}],
        },
        keeps="train",
    ),
    Step("network trunk list", [{"ID": "{train}", "Name": "train", "Parent Port": "{engine}", "Description": "d"}]),
    Step("network trunk list --long", [{"Status": "DOWN"}]),
    Step("network trunk set --name express --description e --enable {train}"),
    Step("network trunk set --subport port={wagon2},segmentation-type=vlan,segmentation-id=6 {train}"),
    Step("network trunk subport add --segmentation-type vlan --segmentation-id 7 {train} {wagon3}"),
    Step(
        "network subport list --trunk {train}",
        [
            {"Port": "{wagon1}", "Segmentation Type": "vlan", "Segmentation ID": 5},
            {"Port": "{wagon2}", "Segmentation ID": 6},
            {"Port": "{wagon3}", "Segmentation ID": 7},
        ],
    ),
    Step("port delete {wagon1}", refused="is currently a subport for trunk"),
    Step("network trunk subport remove {train} {wagon3}"),
    Step("network trunk unset --subport {wagon2} {train}"),
    Step("network trunk subport list {train}", [{"Port": "{wagon1}"}]),
    Step("network trunk show express", {"id": "{train}", "is_admin_state_up": True, "description": "e"}),
    Step("port show {wagon1}", {"device_owner": "trunk:subport", "device_id": "{train}"}),
    Step("network trunk delete express"),
    Step("network trunk list", []),
    Step("port delete {engine} {wagon1} {wagon2} {wagon3}"),
    Step("network delete {rail}"),
)

LOCAL_IPS: Walk = (
    Step("network create near", keeps="near"),
    Step("subnet create --network {near} --subnet-range 10.0.0.0/24 near"),
    Step("port create --network {near} desk", keeps="desk"),
    Step("port create --network {near} chair", keeps="chair"),
    Step(
        "local ip create --network {near} --local-port desk --description d --ip-mode translate --name lamp",
        {"name": "lamp", "local_port_id": "{desk}", "network_id": "{near}", "ip_mode": "translate", "description": "d"},
        keeps="lamp",
    ),
    Step("local ip list", [{"ID": "{lamp}", "Name": "lamp", "Local Port ID": "{desk}", "IP mode": "translate"}]),
    Step("local ip list --network {near} --name lamp --ip-mode translate --local-port {desk}", [{"Name": "lamp"}]),
    Step("local ip set --name light --description e {lamp}"),
    Step("local ip show light", {"id": "{lamp}", "description": "e"}),
    Step(
        "local ip association create {lamp} {chair}",
        {"local_ip_id": "{lamp}", "fixed_port_id": "{chair}", "host": ""},
    ),
    Step("local ip association list {lamp}", [{"Local IP ID": "{lamp}", "Fixed port ID": "{chair}", "Host": ""}]),
    Step("local ip association list --fixed-port {chair} {lamp}", [{"Fixed port ID": "{chair}"}]),
    Step("local ip delete {lamp}", refused="is still associated with one or more ports"),
    Step("local ip association delete {lamp} {chair}"),
    Step("local ip delete {lamp}"),
    Step("local ip list", []),
    Step("port delete {desk} {chair}"),
    Step("network delete {near}"),
)
