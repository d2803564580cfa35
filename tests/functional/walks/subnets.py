"""Subnets, the pools that they come out of, and how full they are."""

from __future__ import annotations

from tests.bed.client_walk import Step, Walk

SUBNETS: Walk = (
    Step("network create room", keeps="room"),
    Step(
        "subnet create --network {room} --subnet-range 10.0.0.0/24 --allocation-pool start=10.0.0.10,end=10.0.0.99"
        " --dns-nameserver 1.1.1.1 --host-route destination=10.1.0.0/16,gateway=10.0.0.9 --no-dhcp"
        " --gateway 10.0.0.254 --service-type network:dhcp --description d --dns-publish-fixed-ip --tag blue four",
        {
            "name": "four",
            "cidr": "10.0.0.0/24",
            "allocation_pools": [{"start": "10.0.0.10", "end": "10.0.0.99"}],
            "dns_nameservers": ["1.1.1.1"],
            "host_routes": [{"destination": "10.1.0.0/16", "nexthop": "10.0.0.9"}],
            "enable_dhcp": False,
            "gateway_ip": "10.0.0.254",
            "service_types": ["network:dhcp"],
            "dns_publish_fixed_ip": True,
            "tags": ["blue"],
        },
        keeps="four",
    ),
    Step(
        "subnet list --long",
        [{"ID": "{four}", "DHCP": False, "Name Servers": ["1.1.1.1"], "IP Version": 4, "Gateway": "10.0.0.254"}],
    ),
    Step(
        "subnet list --network {room} --ip-version 4 --subnet-range 10.0.0.0/24 --gateway 10.0.0.254 --name four"
        " --no-dhcp --service-type network:dhcp --tags blue",
        [{"Name": "four", "Network": "{room}", "Subnet": "10.0.0.0/24"}],
    ),
    Step("subnet list --dhcp", []),
    Step(
        "subnet set --name quad --dhcp --dns-nameserver 2.2.2.2 --host-route destination=10.2.0.0/16,gateway=10.0.0.9"
        " --allocation-pool start=10.0.0.120,end=10.0.0.130 --service-type compute:nova --gateway 10.0.0.253"
        " --description e --no-dns-publish-fixed-ip --tag red {four}"
    ),
    Step(
        "subnet show quad",
        {
            "allocation_pools": [
                {"start": "10.0.0.10", "end": "10.0.0.99"},
                {"start": "10.0.0.120", "end": "10.0.0.130"},
            ],
            "dns_nameservers": ["2.2.2.2", "1.1.1.1"],
            "enable_dhcp": True,
            "gateway_ip": "10.0.0.253",
            "service_types": ["compute:nova", "network:dhcp"],
            "description": "e",
            "tags": ["blue", "red"],
        },
    ),
    Step(
        "subnet unset --dns-nameserver 2.2.2.2 --host-route destination=10.2.0.0/16,gateway=10.0.0.9"
        " --allocation-pool start=10.0.0.120,end=10.0.0.130 --service-type compute:nova --tag blue --gateway {four}"
    ),
    Step("subnet set --no-dns-nameservers --no-host-route {four}"),
    Step(
        "subnet show {four}",
        {
            "allocation_pools": [{"start": "10.0.0.10", "end": "10.0.0.99"}],
            "dns_nameservers": [],
            "host_routes": [],
            "service_types": ["network:dhcp"],
            "gateway_ip": None,
            "tags": ["red"],
        },
    ),
    Step(
        "subnet create --network {room} --ip-version 6 --subnet-range 2001:db8::/64 --ipv6-ra-mode slaac"
        " --ipv6-address-mode slaac six",
        {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac", "gateway_ip": "2001:db8::"},
    ),
    Step("subnet list --ip-version 6", [{"Name": "six", "Subnet": "2001:db8::/64"}]),
    Step(
        "ip availability list",
        [{"Network ID": "{room}", "Network Name": "room", "Total IPs": 90, "Used IPs": 1}],
    ),
    Step("ip availability list --ip-version 6", [{"Network Name": "room", "Used IPs": 0}]),
    Step("ip availability show room", {"network_id": "{room}", "network_name": "room"}),
    Step("subnet delete quad six"),
    Step("subnet list", []),
    Step("network delete {room}"),
)

POOLS: Walk = (
    Step("address scope create --ip-version 4 --share world", {"ip_version": 4, "shared": True}, keeps="world"),
    Step("address scope create --ip-version 6 --no-share lab", {"ip_version": 6, "shared": False}),
    Step("address scope list --name world --ip-version 4 --share", [{"ID": "{world}", "Shared": True}]),
    Step("address scope list --no-share", [{"Name": "lab", "IP Version": 6}]),
    Step("address scope set --name globe {world}"),
    Step("address scope show globe", {"id": "{world}"}),
    Step("address scope delete lab"),
    Step(
        "subnet pool create --pool-prefix 10.8.0.0/16 --default-prefix-length 24 --min-prefix-length 20"
        " --max-prefix-length 28 --address-scope {world} --default --share --description d --default-quota 100000"
        " --tag blue pool",
        {
            "prefixes": ["10.8.0.0/16"],
            "default_prefixlen": 24,
            "min_prefixlen": 20,
            "max_prefixlen": 28,
            "address_scope_id": "{world}",
            "is_default": True,
            "shared": True,
            "default_quota": 100000,
            "ip_version": 4,
            "tags": ["blue"],
        },
        keeps="pool",
    ),
    Step("subnet pool list --share --default --address-scope {world} --name pool --tags blue", [{"ID": "{pool}"}]),
    Step("subnet pool list --no-share", []),
    Step("subnet pool list --long", [{"Default Prefix Length": 24, "Default Subnet Pool": True, "Tags": ["blue"]}]),
    Step("network create served", keeps="served"),
    Step("subnet create --network {served} --subnet-pool {pool} a", {"cidr": "10.8.0.0/24"}, keeps="a"),
    Step("subnet create --network {served} --subnet-pool {pool} --prefix-length 26 b", {"cidr": "10.8.1.0/26"}),
    Step("subnet create --network {served} --subnet-pool {pool} --subnet-range 10.8.128.0/24 c", {"name": "c"}),
    Step("subnet create --network {served} --use-default-subnet-pool d", {"subnetpool_id": "{pool}"}),
    Step("subnet list --subnet-pool {pool}", [{"Name": "a"}, {"Name": "b"}, {"Name": "c"}, {"Name": "d"}]),
    Step("network show {served}", {"ipv4_address_scope": "{world}", "ipv6_address_scope": None}),
    Step("subnet pool delete {pool}", refused="Subnet pool has existing allocations."),
    Step("subnet delete a b c d"),
    Step(
        "subnet pool set --name pond --pool-prefix 10.9.0.0/16 --default-prefix-length 25 --min-prefix-length 21"
        " --max-prefix-length 27 --no-address-scope --no-default --description e --default-quota 200000 --tag red"
        " {pool}"
    ),
    Step("subnet pool unset --tag blue {pool}"),
    Step(
        "subnet pool show pond",
        {
            "prefixes": ["10.8.0.0/15"],
            "default_prefixlen": 25,
            "min_prefixlen": 21,
            "max_prefixlen": 27,
            "address_scope_id": None,
            "is_default": False,
            "default_quota": 200000,
            "description": "e",
            "tags": ["red"],
        },
    ),
    Step("subnet create --network {served} --subnet-range 172.16.0.0/24 old", keeps="old"),
    Step("subnet pool create --pool-prefix 172.17.0.0/16 --address-scope {world} whole", keeps="whole"),
    Step("subnet pool add network {served} {whole}"),
    Step("subnet pool show whole", {"prefixes": ["172.16.0.0/24", "172.17.0.0/16"]}),
    Step("subnet show old", {"subnetpool_id": "{whole}"}),
    Step("network create later", keeps="later"),
    Step("subnet create --network {later} --subnet-range 172.18.0.0/24 older"),
    Step("network onboard subnet {later} {whole}"),
    Step("subnet show older", {"subnetpool_id": "{whole}"}),
    Step("network delete {served} {later}"),
    Step("subnet pool delete pond whole"),
    Step("address scope delete {world}"),
)
