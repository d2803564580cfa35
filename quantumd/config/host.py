"""The host: where things are kept on it, its roles, and what is logged."""

from __future__ import annotations

from attrs import frozen

from quantumd.config.setting import setting


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
    one_core: bool = setting(
        True,
        "Keep the threads of the process, which share an interpreter, on one core while they are busy and others leave"
        " it free.",
    )


@frozen
class DatabaseSettings:
    """Where rows and journal are kept."""

    url: str = setting(
        "",
        "sqlite:////path/to/file, postgresql://user:password@host/name or mariadb://user:password@host/name;"
        " empty means SQLite in the state directory.",
    )
    synchronous: str = setting(
        "FULL",
        "SQLite's synchronous mode: FULL keeps every answered change over a power cut.",
        choices=("FULL", "NORMAL"),
    )
    connections: int = setting(
        1, "How many threads write, each on a connection of its own; SQLite has one.", "threads", least=1, most=64
    )
    readers: int = setting(2, "How many threads read at once.", "threads", least=1, most=64)
    watch_seconds: float = setting(
        0.05,
        "How often a process looks for what others have written to a database server that they share.",
        "seconds",
        least=0.001,
    )
    waiting_limit: int = setting(
        2000, "How many requests may wait for the database before new ones get 503.", "requests", least=1
    )
    journal_keep_seconds: int = setting(604_800, "How long the journal is kept.", "seconds", least=60)
    journal_keep_bytes: int = setting(
        500_000_000, "How large the journal may grow before old rows go.", "bytes", least=1_000_000
    )


@frozen
class L2Settings:
    """The L2 role."""

    driver: str = setting(
        "ovs", "The name of the L2 driver: ovs, linuxbridge, memory, or that of an installed plug-in."
    )
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
    bridge_mappings: tuple[str, ...] = setting(
        (), "Physical networks and their bridges, each as physical_network:bridge."
    )
    bandwidth_kbps: tuple[str, ...] = setting(
        (),
        "How much bandwidth this host can guarantee to its ports, each as physical_network:egress:ingress in kbit/s;"
        " none named is none.",
    )
    interface_mappings: tuple[str, ...] = setting(
        (),
        "Physical networks and the NICs that the driver linuxbridge puts into their bridges, each as"
        " physical_network:interface; a NIC has no addresses of its own.",
    )
    tunnel_ip: str = setting(
        "", "The address, IPv4 or IPv6, of this host at which tunnels to it end; empty is no tunnels."
    )
    tunnel_types: tuple[str, ...] = setting(
        (), "The tunnels that this host carries, of vxlan, gre and geneve; none named is vxlan if there is a tunnel_ip."
    )
    foreign_flows: str = setting(
        "remove", "What happens to flows of strangers on the integration bridge.", choices=("remove", "report")
    )
    storm_rate_pps: int = setting(
        1000, "How many broadcast and multicast frames a port may send; 0 is any number.", "packets per second", least=0
    )
    service_rate_pps: int = setting(
        5000,
        "How many packets a port may send to services of its host, metadata among them; 0 is any number.",
        "packets per second",
        least=0,
    )
    log_rate_pps: int = setting(
        100, "How many packets that logs ask for are logged on this host.", "packets per second", least=1
    )
    log_burst_packets: int = setting(25, "How many of them at once.", "packets", least=1)
    health_listen: str = setting(
        "",
        "Where twistd quantumd-l2 answers /healthz, /readyz and /metrics, to everybody and in the clear"
        " (tcp:9697:interface=127.0.0.1); empty is nowhere.",
    )
    connections_per_network: int = setting(
        200_000,
        "How many connections of one network this host tracks, so that one network leaves others some; more are let"
        " pass without, so that answers to them pass only by rules. 0 is no limit.",
        least=0,
        most=4_294_967_295,
    )
    drift_seconds: float = setting(300.0, "How often the switch is read back and compared.", "seconds", least=1)


@frozen
class DhcpSettings:
    """The DHCP role."""

    lease_seconds: int = setting(86_400, "How long a lease lasts.", "seconds", least=10, most=4_294_967_294)
    domain: str = setting("openstacklocal", "The domain name told to clients.")
    dns_servers: tuple[str, ...] = setting((), "DNS servers told to clients of subnets that name none.")
    rate_per_port_pps: int = setting(
        20, "How many DHCP frames of one port reach the process.", "packets per second", least=1
    )
    health_listen: str = setting(
        "",
        "Where twistd quantumd-dhcp answers /healthz, /readyz and /metrics, to everybody and in the clear"
        " (tcp:9698:interface=127.0.0.1); empty is nowhere.",
    )


@frozen
class L3Settings:
    """The role that carries routers."""

    namespace_prefix: str = setting(
        "quantumd-",
        "What the names of routers' network namespaces begin with; all of them on this machine are taken for ours.",
    )

    health_listen: str = setting(
        "",
        "Where twistd quantumd-l3 answers /healthz, /readyz and /metrics, to everybody and in the clear"
        " (tcp:9699:interface=127.0.0.1); empty is nowhere.",
    )


@frozen
class LogSettings:
    """Logs and measurements."""

    level: str = setting("info", "The lowest level that is logged.", choices=("debug", "info", "warn", "error"))
    stall_seconds: float = setting(
        0.05, "A reactor turn longer than this is reported as a stall.", "seconds", least=0.001
    )
