"""Security groups, their rules, and what they may name."""

from __future__ import annotations

from tests.bed.client_walk import Step, Walk

GROUPS: Walk = (
    Step(
        "security group create --stateless --description d --tag blue doors",
        {"name": "doors", "description": "d", "stateful": False, "is_shared": False, "tags": ["blue"]},
        keeps="doors",
    ),
    Step("security group list", [{"ID": "{doors}", "Shared": False}, {"Name": "default"}]),
    Step("security group list --tags blue", [{"Name": "doors", "Tags": ["blue"]}]),
    Step("security group list --share", []),
    Step("security group set --name gates --description e --stateful --tag red {doors}"),
    Step("security group unset --tag blue {doors}"),
    Step("security group show gates", {"id": "{doors}", "description": "e", "stateful": True, "tags": ["red"]}),
    Step(
        "address group create --description d --address 10.0.0.0/24 --address 10.1.0.1 homes",
        {"name": "homes", "description": "d", "addresses": ["10.0.0.0/24", "10.1.0.1/32"]},
        keeps="homes",
    ),
    Step("address group list --name homes", [{"ID": "{homes}", "Addresses": ["10.0.0.0/24", "10.1.0.1/32"]}]),
    Step("address group set --name houses --description e --address 10.2.0.0/24 {homes}"),
    Step("address group unset --address 10.0.0.0/24 {homes}"),
    Step("address group show houses", {"description": "e", "addresses": ["10.1.0.1/32", "10.2.0.0/24"]}),
    Step(
        "security group rule create --protocol tcp --dst-port 22:23 --remote-ip 10.0.0.0/8 --description ssh"
        " --ingress {doors}",
        {
            "direction": "ingress",
            "ether_type": "IPv4",
            "protocol": "tcp",
            "port_range_min": 22,
            "port_range_max": 23,
            "remote_ip_prefix": "10.0.0.0/8",
            "normalized_cidr": "10.0.0.0/8",
            "description": "ssh",
            "security_group_id": "{doors}",
        },
        keeps="ssh",
    ),
    Step(
        "security group rule create --protocol icmp --icmp-type 8 --icmp-code 0 --egress --ethertype IPv4 {doors}",
        {"protocol": "icmp", "port_range_min": 8, "port_range_max": 0, "direction": "egress"},
        keeps="ping",
    ),
    Step("security group rule create --remote-group {doors} --protocol 50 {doors}", {"remote_group_id": "{doors}"}),
    Step(
        "security group rule create --remote-address-group {homes} --protocol udp --dst-port 53 {doors}",
        {"remote_address_group_id": "{homes}", "port_range_min": 53},
        keeps="dns",
    ),
    Step(
        "security group rule create --ethertype IPv6 --protocol ipv6-icmp {doors}",
        {"ether_type": "IPv6", "protocol": "ipv6-icmp", "remote_ip_prefix": "::/0"},
    ),
    Step(
        "security group rule create --protocol tcp --dst-port 22:23 --remote-ip 10.0.0.0/8 {doors}",
        refused="Security group rule already exists.",
    ),
    Step(
        "security group rule list --protocol tcp --ingress {doors}",
        [{"ID": "{ssh}", "IP Protocol": "tcp", "IP Range": "10.0.0.0/8", "Port Range": "22:23"}],
    ),
    Step("security group rule list --egress --protocol icmp", [{"ID": "{ping}", "Port Range": "type=8"}]),
    Step("security group rule list {doors}", [{}, {}, {}, {}, {}, {}, {}]),
    Step("security group rule show {ssh}", {"id": "{ssh}", "description": "ssh"}),
    Step("address group delete {homes}", refused="is in use"),
    Step("security group rule delete {ssh} {ping} {dns}"),
    Step("address group delete {homes}"),
    Step("security group delete gates"),
    Step("security group list", [{"Name": "default"}]),
)

TEMPLATES: Walk = (
    Step(
        "default security group rule create --protocol tcp --dst-port 80 --for-default-sg --for-custom-sg"
        " --description d --ingress --remote-ip 192.0.2.0/24",
        {
            "protocol": "tcp",
            "port_range_min": 80,
            "remote_ip_prefix": "192.0.2.0/24",
            "used_in_default_sg": True,
            "used_in_non_default_sg": True,
            "description": "d",
        },
        keeps="web",
    ),
    Step(
        "default security group rule create --protocol udp --remote-group PARENT --for-custom-sg",
        {"remote_group_id": "PARENT", "used_in_default_sg": False, "used_in_non_default_sg": True},
        keeps="kin",
    ),
    Step(
        "default security group rule list --protocol tcp --ingress --ethertype IPv4",
        [{"ID": "{web}", "IP Range": "192.0.2.0/24", "Port Range": "80:80", "Used in default Security Group": True}],
    ),
    Step("default security group rule show {web}", {"id": "{web}", "ether_type": "IPv4"}),
    Step("default security group rule list", [{}, {}, {}, {}, {"ID": "{web}"}, {"ID": "{kin}"}]),
    Step("security group create made", keeps="made"),
    Step(
        "security group rule list --ingress {made}",
        [{"IP Range": "192.0.2.0/24", "Port Range": "80:80"}, {"Remote Security Group": "{made}"}],
    ),
    Step("default security group rule delete {web} {kin}"),
    Step("security group delete {made}"),
    Step("security group default statefulness list", []),
)
