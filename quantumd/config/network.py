"""What networks are made of, and how much of it a project may have."""

from __future__ import annotations

from attrs import frozen

from quantumd.config.setting import setting


@frozen
class NetworkSettings:
    """What networks are made of."""

    tenant_network_types: tuple[str, ...] = setting(
        ("local",), "The types tried in this order for a network whose type nobody names."
    )
    flat_networks: tuple[str, ...] = setting(("*",), "Physical networks on which a flat network may be made; * is any.")
    vlan_ranges: tuple[str, ...] = setting((), "VLANs that networks are given, each as physical_network:first:last.")
    gre_ranges: tuple[str, ...] = setting((), "GRE keys that networks are given, each as first:last.")
    vxlan_ranges: tuple[str, ...] = setting((), "VXLAN identifiers that networks are given, each as first:last.")
    geneve_ranges: tuple[str, ...] = setting((), "Geneve identifiers that networks are given, each as first:last.")
    delegate_prefixes: bool = setting(
        False,
        "Whether IPv6 subnets that ask for the default subnet pool have their prefixes delegated by DHCPv6 servers"
        " outside; a subnetpool_id of prefix_delegation asks for that in any case.",
    )
    mtu_bytes: int = setting(
        1500, "The MTU of the physical networks, given to the networks on them.", "bytes", least=68, most=65_535
    )
    physical_network_mtus: tuple[str, ...] = setting(
        (), "Physical networks whose MTU differs from that, each as physical_network:bytes."
    )
    overlay_ip_version: int = setting(
        4, "The IP version, 4 or 6, between tunnel endpoints; its header is taken from the MTU.", least=4, most=6
    )
    bandwidth_guarantees: str = setting(
        "refuse",
        "What becomes of minimum bandwidth rules, which no L2 driver here makes packets obey: refuse keeps them from"
        " ports and networks, account takes them and gives no more of a host's l2.bandwidth_kbps than there is.",
        choices=("refuse", "account"),
    )
    mac_base: str = setting("fa:16:3e:00:00:00", "Generated MAC addresses keep the first three octets of this.")
    max_fixed_ips_per_port: int = setting(5, "How many fixed IPs a port may be given.", "addresses", least=1)
    max_address_pairs: int = setting(10, "How many allowed address pairs a port may have.", "pairs", least=0)
    dns_domain: str = setting(
        "openstacklocal", "The domain of ports' names; while it is this one, ports are not given names of their own."
    )
    max_dns_nameservers: int = setting(5, "How many DNS servers a subnet may name.", "servers", least=0)
    max_host_routes: int = setting(20, "How many host routes a subnet may have.", "routes", least=0)
    max_routes: int = setting(30, "How many routes a router may have.", "routes", least=0)
    max_forwarding_entries: int = setting(
        1000,
        "How many entries all port forwardings by one router may come to. One that leads a range to as many other "
        "ports is an entry for each port, any other is one.",
        "entries",
        least=0,
    )


@frozen
class QuotaSettings:
    """How many of each resource a project may have that has no limits of its own; -1 is any number."""

    enforced: bool = setting(True, "Whether create requests beyond a project's limits are refused.")
    network: int = setting(100, "Networks of a project.", "networks", least=-1)
    subnet: int = setting(100, "Subnets of a project.", "subnets", least=-1)
    subnetpool: int = setting(-1, "Subnet pools of a project.", "subnet pools", least=-1)
    port: int = setting(500, "Ports of a project, those of DHCP among them.", "ports", least=-1)
    router: int = setting(10, "Routers of a project.", "routers", least=-1)
    floatingip: int = setting(50, "Floating IPs of a project.", "floating IPs", least=-1)
    security_group: int = setting(10, "Security groups of a project.", "security groups", least=-1)
    security_group_rule: int = setting(100, "Rules of security groups of a project.", "rules", least=-1)
    rbac_policy: int = setting(10, "RBAC policies of a project.", "policies", least=-1)
