"""Every setting: default, unit, one sentence. ``conf/quantumd.toml`` is generated from here and checked against it.

Settings are frozen values passed to constructors; nothing reads them from a global place.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen


def setting(default: Any, sentence: str, unit: str | None = None, choices: tuple[str, ...] = ()) -> Any:
    """Declare a setting: ``sentence`` says what it does, ``unit`` what its number counts."""
    return field(default=default, metadata={"sentence": sentence, "unit": unit, "choices": choices})


@frozen
class HostSettings:
    """What this machine is called and where it keeps its state."""

    name: str = setting("", "The name of this host in bindings; empty means the machine's host name.")
    state_dir: str = setting("/var/lib/quantumd", "Where the database and what must survive a restart is kept.")
    run_dir: str = setting("/run/quantumd", "Where locks and sockets of the running process are kept.")
    edges: str = setting(
        "real",
        "Whether the roles act on the real host or on an in-memory one (no root, no Open vSwitch).",
        choices=("real", "memory"),
    )


@frozen
class ApiSettings:
    """The REST API."""

    listen: str = setting(
        "tcp:9696:interface=127.0.0.1",
        "The Twisted endpoint to listen on; under systemd socket activation the passed socket is used instead.",
    )
    auth: str = setting("none", "How callers are identified: none makes every caller admin.", choices=("none",))
    request_body_limit_bytes: int = setting(1_048_576, "The largest request body that is read.", "bytes")
    bulk_limit: int = setting(1000, "How many resources one bulk request may create.", "resources")
    drain_seconds: float = setting(
        2.0, "How long open connections may finish their requests after SIGTERM.", "seconds"
    )
    preview: bool = setting(False, "Whether extensions that packets do not obey yet are served (loopback only).")


@frozen
class NetworkSettings:
    """What networks are made of."""

    tenant_network_types: tuple[str, ...] = setting(
        ("local",), "The types tried in this order for a network whose type nobody names."
    )
    flat_networks: tuple[str, ...] = setting(("*",), "Physical networks on which a flat network may be made; * is any.")
    vlan_ranges: tuple[str, ...] = setting(
        (), "VLANs that networks are given, each as physical_network:first:last."
    )
    mtu_bytes: int = setting(1500, "The MTU of the physical networks, given to the networks on them.", "bytes")
    mac_base: str = setting("fa:16:3e:00:00:00", "Generated MAC addresses keep the first three octets of this.")
    max_fixed_ips_per_port: int = setting(5, "How many fixed IPs a port may be given.", "addresses")
    max_dns_nameservers: int = setting(5, "How many DNS servers a subnet may name.", "servers")
    max_host_routes: int = setting(20, "How many host routes a subnet may have.", "routes")


@frozen
class DatabaseSettings:
    """Where rows and journal are kept."""

    url: str = setting("", "The SQLAlchemy URL; empty means SQLite in the state directory.")
    synchronous: str = setting(
        "FULL", "SQLite's synchronous mode: FULL keeps every answered change over a power cut.", choices=("FULL", "NORMAL")
    )
    readers: int = setting(2, "How many threads read at once.", "threads")
    waiting_limit: int = setting(2000, "How many requests may wait for the database before new ones get 503.", "requests")
    journal_keep_seconds: int = setting(604_800, "How long the journal is kept.", "seconds")
    journal_keep_bytes: int = setting(500_000_000, "How large the journal may grow before old rows go.", "bytes")


@frozen
class L2Settings:
    """The L2 role."""

    driver: str = setting("ovs", "The name of the L2 driver: ovs, memory, or that of an installed plug-in.")
    bind_unbound: bool = setting(
        True, "Whether a port plugged here that is bound to no host is bound to this one (all-in-one)."
    )
    ovs_run_dir: str = setting("/var/run/openvswitch", "Where Open vSwitch keeps its sockets.")
    integration_bridge: str = setting("br-int", "The bridge that quantumd owns and VIFs are plugged into.")
    datapath_type: str = setting(
        "auto",
        "system is the kernel datapath, netdev the userspace one; auto takes what the bridge has, else what works.",
        choices=("auto", "system", "netdev"),
    )
    bridge_mappings: tuple[str, ...] = setting((), "Physical networks and their bridges, each as physical_network:bridge.")
    foreign_flows: str = setting(
        "remove", "What happens to flows of strangers on the integration bridge.", choices=("remove", "report")
    )
    drift_seconds: float = setting(300.0, "How often the switch is read back and compared.", "seconds")


@frozen
class DhcpSettings:
    """The DHCP role."""

    lease_seconds: int = setting(86_400, "How long a lease lasts.", "seconds")
    domain: str = setting("openstacklocal", "The domain name told to clients.")
    dns_servers: tuple[str, ...] = setting((), "DNS servers told to clients of subnets that name none.")
    rate_per_port_pps: int = setting(20, "How many DHCP frames of one port reach the process.", "packets per second")


@frozen
class LogSettings:
    """Logs and measurements."""

    level: str = setting("info", "The lowest level that is logged.", choices=("debug", "info", "warn", "error"))
    stall_seconds: float = setting(0.05, "A reactor turn longer than this is reported as a stall.", "seconds")


@frozen
class Settings:
    """All settings, one value a section of the file."""

    host: HostSettings = HostSettings()
    api: ApiSettings = ApiSettings()
    network: NetworkSettings = NetworkSettings()
    database: DatabaseSettings = DatabaseSettings()
    l2: L2Settings = L2Settings()
    dhcp: DhcpSettings = DhcpSettings()
    log: LogSettings = LogSettings()
