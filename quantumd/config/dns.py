"""The DNS server that each network has at the address of its DHCP port."""

from __future__ import annotations

from attrs import frozen

from quantumd.config.setting import setting


@frozen
class DnsSettings:
    """DNS: what VMs ask the addresses of their network's DHCP port, answered on each host."""

    enabled: bool = setting(
        False,
        "Whether VMs of this host are answered, and told so by DHCP on subnets that name no DNS servers; the roles l2"
        " and dhcp of a host agree about it, and about network.dns_domain.",
    )
    upstream: tuple[str, ...] = setting(
        (),
        "The servers that are asked what is no port's name, each an address, address:port or [address]:port; none means"
        " those of the host's /etc/resolv.conf.",
    )
    timeout_seconds: float = setting(
        1.5, "How long one of these servers may take before the next one is asked.", "seconds", least=0.1, most=30
    )
    questions: int = setting(
        256, "How many questions these servers are asked at once.", "questions", least=1, most=4096
    )
    questions_per_port: int = setting(
        32, "How many of them may be of one port; more get SERVFAIL.", "questions", least=1, most=4096
    )
    rate_per_port: int = setting(
        200, "How many questions of a port are answered, the others are dropped; twice as many at once.",
        "questions per second", least=1,
    )  # fmt: skip
    connections_per_port: int = setting(
        8, "How many TCP connections a port may have.", "connections", least=1, most=1024
    )
    idle_seconds: float = setting(
        10.0, "How long a TCP connection may be without a new question.", "seconds", least=0.1, most=300
    )
