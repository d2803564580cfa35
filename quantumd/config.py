"""Every setting: default, unit, one sentence. ``conf/quantumd.toml`` is generated from here and checked against it.

Settings are frozen values passed to constructors; nothing reads them from a global place. ``load_settings`` reads the
file; ``python -m quantumd.config`` prints the sample file.
"""

from __future__ import annotations

import difflib
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_type_hints

import attrs
from attrs import field, frozen

from quantumd.errors import SettingsError

ASSIGNED: Final = "--set"
"""What errors call the command line."""


def setting(
    default: Any,
    sentence: str,
    unit: str | None = None,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
    is_secret: bool = False,
) -> Any:
    """Declare a setting: ``sentence`` says what it does, ``unit`` what its number counts.

    ``choices`` are the values allowed, none meaning any; ``least`` and ``most`` bound a number, both included. The
    value of a secret is in no error and no representation, and is not taken from the command line.
    """
    metadata = {
        "sentence": sentence, "unit": unit, "choices": choices, "least": least, "most": most, "is_secret": is_secret,
    }  # fmt: skip
    return field(default=default, metadata=metadata, repr=not is_secret)


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
    auth: str = setting(
        "none",
        "How callers are identified: none makes every caller admin, http_basic asks for name and password,"
        " keystone validates tokens.",
        choices=("none", "http_basic", "keystone"),
    )
    none_is_admin_for_everybody: bool = setting(
        False, "Whether auth none may listen beyond the loopback: whoever reaches the API is admin then."
    )
    request_body_limit_bytes: int = setting(1_048_576, "The largest request body that is read.", "bytes", least=1024)
    bulk_limit: int = setting(1000, "How many resources one bulk request may create.", "resources", least=1)
    drain_seconds: float = setting(
        2.0, "How long open connections may finish their requests after SIGTERM.", "seconds", least=0
    )
    pagination_max_limit: int = setting(
        -1, "The most resources that one list answers, the rest by its links; -1 is any number.", "resources", least=-1
    )
    link_prefix: str = setting(
        "", "What links in answers begin with (https://api.example/network); empty means as the caller came."
    )
    cors_allowed_origins: tuple[str, ...] = setting(
        (), "Origins of web pages that may use the API from a browser; * is any."
    )
    cors_max_age_seconds: int = setting(
        3600, "How long a browser may remember what a web page is allowed.", "seconds", least=0
    )
    event_streams: int = setting(500, "How many streams of events there may be at a time.", "streams", least=0)
    event_streams_per_caller: int = setting(
        50, "How many of them one caller (a user in a project) may have.", "streams", least=0
    )
    event_heartbeat_seconds: float = setting(
        15.0, "How often a stream shows that it lives, and its caller is asked for again.", "seconds", least=1
    )
    event_stalled_seconds: float = setting(
        30.0, "How long the client of a stream may take nothing before it is cut.", "seconds", least=1
    )
    policy_file: str = setting(
        "", "The rules that differ from the defaults (conf/policy.yaml shows those); empty means none do."
    )
    preview: bool = setting(False, "Whether extensions that packets do not obey yet are served (loopback only).")


@frozen
class KeystoneSettings:
    """Keystone, where api.auth says so; quantumd asks it as a user of its own with the role service or admin."""

    auth_url: str = setting("http://127.0.0.1:5000/v3", "The root of Keystone's API, version 3.")
    public_url: str = setting("", "What callers without a valid token are told to ask; empty means auth_url.")
    ca_file: str = setting("", "The certificates (PEM) that an https Keystone is checked by; empty means the system's.")
    user: str = setting("neutron", "The name of quantumd's own user.")
    user_domain: str = setting("Default", "The name of the domain of that user.")
    project: str = setting("service", "The name of the project that this user is scoped to.")
    project_domain: str = setting("Default", "The name of the domain of that project.")
    password_file: str = setting("", "The file with the password of that user, read each time it is needed.")
    password: str = setting("", "The password itself, where there is no file.", is_secret=True)
    timeout_seconds: float = setting(10.0, "How long the validation of a token may take.", "seconds", least=0.1)
    token_cache_seconds: float = setting(
        300.0, "How long a valid token is not asked for again; so long a revoked one goes on.", "seconds", least=0
    )
    token_cache_size: int = setting(10_000, "How many valid tokens are remembered.", "tokens", least=1)
    away_seconds: float = setting(
        300.0, "How much longer a token that was valid counts while Keystone does not answer.", "seconds", least=0
    )
    connections: int = setting(
        32, "How many questions to Keystone are under way at once, each on a connection.", "connections",
        least=1, most=256,
    )  # fmt: skip
    service_token_roles: tuple[str, ...] = setting(
        ("service",), "Roles of services that may go on for a user whose token has ended (X-Service-Token)."
    )
    service_token_roles_required: bool = setting(
        True, "Whether a service token without one of these roles is refused; else it is only of no use."
    )


@frozen
class HttpBasicSettings:
    """Users with passwords, where api.auth says so; quantumctl user looks after their file."""

    user_file: str = setting(
        "/etc/quantumd/users",
        "The file of users: name, bcrypt hash, project and roles of each; not for others to read.",
    )
    cache_seconds: float = setting(
        300.0, "How long after its last use a verified password is not verified again.", "seconds", least=0
    )
    failures_per_user: int = setting(
        10, "How many wrong passwords for one user a minute are looked at, new ones then get 429.", "attempts", least=1
    )
    failures_per_peer: int = setting(
        30, "How many wrong passwords from one address a minute are looked at.", "attempts", least=1
    )


@frozen
class NovaSettings:
    """Nova, which is told what happens to the ports of its servers; as whom, the keystone section says."""

    enabled: bool = setting(False, "Whether Nova is told.")
    endpoint: str = setting(
        "", "The root of Nova's API (https://nova.example.org:8774/v2.1); empty means as Keystone's catalogue says."
    )
    region: str = setting("", "The region of the catalogue in which Nova is looked for; empty means any.")
    interface: str = setting(
        "public", "The interface of the catalogue at which Nova is asked.", choices=("public", "internal", "admin")
    )
    timeout_seconds: float = setting(10.0, "How long Nova may take to answer.", "seconds", least=0.1, most=15)
    gather_seconds: float = setting(
        0.1, "How long changes are gathered before Nova is told of them in one request.", "seconds", least=0, most=10
    )


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
    mtu_bytes: int = setting(
        1500, "The MTU of the physical networks, given to the networks on them.", "bytes", least=68, most=65_535
    )
    physical_network_mtus: tuple[str, ...] = setting(
        (), "Physical networks whose MTU differs from that, each as physical_network:bytes."
    )
    overlay_ip_version: int = setting(
        4, "The IP version, 4 or 6, between tunnel endpoints; its header is taken from the MTU.", least=4, most=6
    )
    mac_base: str = setting("fa:16:3e:00:00:00", "Generated MAC addresses keep the first three octets of this.")
    max_fixed_ips_per_port: int = setting(5, "How many fixed IPs a port may be given.", "addresses", least=1)
    max_address_pairs: int = setting(10, "How many allowed address pairs a port may have.", "pairs", least=0)
    dns_domain: str = setting(
        "openstacklocal", "The domain of ports' names; while it is this one, ports are not given names of their own."
    )
    max_dns_nameservers: int = setting(5, "How many DNS servers a subnet may name.", "servers", least=0)
    max_host_routes: int = setting(20, "How many host routes a subnet may have.", "routes", least=0)


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


@frozen
class AgentSettings:
    """What the API shows of the roles of hosts, which it calls agents."""

    down_seconds: int = setting(150, "How long after its last report an agent is shown as alive.", "seconds", least=1)
    availability_zone: str = setting("nova", "The availability zone of the agents that report here.")


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
    waiting_limit: int = setting(
        2000, "How many requests may wait for the database before new ones get 503.", "requests", least=1
    )
    journal_keep_seconds: int = setting(604_800, "How long the journal is kept.", "seconds", least=60)
    journal_keep_bytes: int = setting(
        500_000_000, "How large the journal may grow before old rows go.", "bytes", least=1_000_000
    )


@frozen
class AmqpSettings:
    """The message broker; asked only where something needs one, such as notifications."""

    urls: tuple[str, ...] = setting(
        ("amqp://guest@127.0.0.1:5672/",),
        "Brokers, taken in turn, each as amqp://user@host:port/vhost or amqps:// for TLS; never with a password.",
    )
    password_file: str = setting("", "The file with the password of those users, read at each connection.")
    password: str = setting("", "The password itself, where there is no file.", is_secret=True)
    ca_file: str = setting("", "The certificates (PEM) that amqps:// brokers are checked by; empty: the system's.")
    heartbeat_seconds: int = setting(
        10, "A broker from which nothing comes for twice this is given up.", "seconds", least=1, most=600
    )
    timeout_seconds: float = setting(
        10.0, "How long a connection or an answer of the broker may take.", "seconds", least=0.1
    )


@frozen
class NotificationSettings:
    """Telling other services, Ceilometer among them, what changed: oslo.messaging's notifications over AMQP."""

    enabled: bool = setting(False, "Whether other services are told; needs a broker.")
    exchange: str = setting("neutron", "The topic exchange, which OpenStack calls control_exchange.")
    topics: tuple[str, ...] = setting(
        ("notifications",), "Topics; each has a queue of its own, <topic>.info, and each is told everything."
    )
    durable: bool = setting(
        False, "Whether exchange and queues survive the broker; the same as amqp_durable_queues of those who read."
    )
    quorum: bool = setting(False, "Whether they are quorum queues; the same as rabbit_quorum_queue of those who read.")
    exists_seconds: float = setting(
        0.0, "How often all networks, subnets and ports are told as existing; 0 is never.", "seconds", least=0
    )
    counters_seconds: float = setting(
        0.0, "How often what each port sent and received is told; 0 is never.", "seconds", least=0
    )


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
    bridge_mappings: tuple[str, ...] = setting(
        (), "Physical networks and their bridges, each as physical_network:bridge."
    )
    foreign_flows: str = setting(
        "remove", "What happens to flows of strangers on the integration bridge.", choices=("remove", "report")
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


@frozen
class LogSettings:
    """Logs and measurements."""

    level: str = setting("info", "The lowest level that is logged.", choices=("debug", "info", "warn", "error"))
    stall_seconds: float = setting(
        0.05, "A reactor turn longer than this is reported as a stall.", "seconds", least=0.001
    )


@frozen
class Settings:
    """All settings, one value a section of the file."""

    host: HostSettings = HostSettings()
    api: ApiSettings = ApiSettings()
    keystone: KeystoneSettings = KeystoneSettings()
    http_basic: HttpBasicSettings = HttpBasicSettings()
    nova: NovaSettings = NovaSettings()
    network: NetworkSettings = NetworkSettings()
    quota: QuotaSettings = QuotaSettings()
    agents: AgentSettings = AgentSettings()
    database: DatabaseSettings = DatabaseSettings()
    amqp: AmqpSettings = AmqpSettings()
    notifications: NotificationSettings = NotificationSettings()
    l2: L2Settings = L2Settings()
    dhcp: DhcpSettings = DhcpSettings()
    log: LogSettings = LogSettings()

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL; without a setting it is SQLite in the state directory."""
        return self.database.url or f"sqlite:///{self.host.state_dir}/quantumd.sqlite"


def default_path() -> Path:
    """Where the settings are read from when nobody says otherwise."""
    return Path("/etc/quantumd/quantumd.toml")


def load_settings(path: Path | None = None, assignments: Iterable[str] = ()) -> Settings:
    """Return the settings of a file, each ``section.key=value`` of ``assignments`` put over it.

    Without ``path`` every setting has its default before the assignments. A value in an assignment is TOML, or the
    text itself where the setting is a text.

    :raises SettingsError: the file cannot be read, or anything in it or in an assignment is unknown or wrong.
    """
    settings = Settings()
    if path is not None:
        settings = apply_document(settings, _read_document(path), str(path))
    for assignment in assignments:
        settings = apply_document(settings, _parse_assignment(assignment), ASSIGNED)
    return settings


def apply_document(settings: Settings, document: Mapping[str, Any], origin: str) -> Settings:
    """Return ``settings`` with the values of a parsed TOML document; ``origin`` names it in errors.

    :raises SettingsError: an unknown section or key, a wrong type, a value that is not allowed.
    """
    sections = {attribute.name: attribute for attribute in attrs.fields(Settings)}
    changed: dict[str, Any] = {}
    for name, table in document.items():
        if name not in sections:
            raise SettingsError(f"{origin}: there is no section [{name}]{_suggest(name, sections)}")
        if not isinstance(table, dict):
            raise SettingsError(f"{origin}: {name} is a section, write [{name}] and its settings below it")
        changed[name] = _apply_section(getattr(settings, name), name, table, origin)
    return attrs.evolve(settings, **changed)


def _apply_section(section: Any, name: str, table: Mapping[str, Any], origin: str) -> Any:
    known = {attribute.name: attribute for attribute in attrs.fields(type(section))}
    types = get_type_hints(type(section))
    changed: dict[str, Any] = {}
    for key, value in table.items():
        where = f"{origin}: {name}.{key}"
        if key not in known:
            raise SettingsError(f"{where}: there is no such setting{_suggest_key(name, key)}")
        if known[key].metadata["is_secret"]:
            _check_secret(value, where, origin)
        typed = _typed(value, types[key], where)
        _check_allowed(typed, known[key].metadata, where)
        changed[key] = typed
    return attrs.evolve(section, **changed)


def _check_secret(value: Any, where: str, origin: str) -> None:
    # Everybody on the machine sees command lines.
    if origin == ASSIGNED:
        raise SettingsError(f"{where}: a secret is not taken from the command line")
    if not isinstance(value, str):
        raise SettingsError(f"{where}: expected a text in quotes")


def _typed(value: Any, wanted: Any, where: str) -> Any:
    """Return the value as the setting's type; whole numbers are taken where fractions are allowed."""
    if wanted is float and type(value) is int:
        return float(value)
    if wanted in (bool, int, float, str) and type(value) is wanted:
        return value
    if wanted == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise SettingsError(f"{where}: expected {_TYPE_NAMES[wanted]}, got {value!r}")


_TYPE_NAMES: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    tuple[str, ...]: "a list of texts",
}


def _check_allowed(value: Any, metadata: Mapping[Any, Any], where: str) -> None:
    choices, least, most = metadata["choices"], metadata["least"], metadata["most"]
    if choices and value not in choices:
        raise SettingsError(f"{where}: expected {_alternatives(choices)}, got {value!r}{_suggest(str(value), choices)}")
    if least is not None and not value >= least:
        raise SettingsError(f"{where}: must be at least {least}, got {value!r}")
    if most is not None and not value <= most:
        raise SettingsError(f"{where}: must be at most {most}, got {value!r}")


def _alternatives(choices: Iterable[str]) -> str:
    return " or ".join(f'"{choice}"' for choice in choices)


def _suggest(wrong: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(wrong, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _suggest_key(section: str, wrong: str) -> str:
    """Suggest a key of the same section, else the same or the nearest key of another."""
    names = {f"{part.name}.{key.name}": key.name for part, key in _every_setting()}
    own = [key for full, key in names.items() if full.startswith(f"{section}.")]
    near = difflib.get_close_matches(wrong, own, n=1) or difflib.get_close_matches(wrong, list(names.values()), n=1)
    full = [full for full in names if near and full.endswith(f".{near[0]}")]
    full.sort(key=lambda candidate: not candidate.startswith(f"{section}."))
    return f"; did you mean {full[0]}?" if full else ""


def _read_document(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _parse_assignment(assignment: str) -> Mapping[str, Any]:
    name, equals, text = assignment.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        raise SettingsError(f"--set: expected section.key=value, got {assignment!r}")
    return {section: {key: _assigned(section, key, text)}}


def _assigned(section: str, key: str, text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    wants_text = any(
        isinstance(k.default, str) for part, k in _every_setting() if (part.name, k.name) == (section, key)
    )
    return text if wants_text and not isinstance(value, str) else value


def _keys(part: Any) -> tuple[Any, ...]:
    section: Any = type(part.default)
    return tuple(attrs.fields(section))


def _every_setting() -> Iterator[tuple[Any, Any]]:
    for part in attrs.fields(Settings):
        for key in _keys(part):
            yield part, key


def sample() -> str:
    """Return the text of ``conf/quantumd.toml``: every setting with its default, unit and sentence, commented out."""
    lines = [
        "# Settings of quantumd. Every setting is here with its default; uncomment a line to change it.",
        "# Made by `python -m quantumd.config`; an unknown name stops the start.",
    ]
    for part in attrs.fields(Settings):
        lines += ["", f"# {part.default.__doc__}", f"[{part.name}]"]
        for key in _keys(part):
            lines += ["", *_sample_comment(key.metadata), f"#{key.name} = {_toml(key.default)}"]
    return "\n".join(lines) + "\n"


def _sample_comment(metadata: Mapping[Any, Any]) -> Iterator[str]:
    yield f"# {metadata['sentence']}"
    if metadata["choices"]:
        yield f"# One of: {', '.join(metadata['choices'])}."
    bounds = [f"at {word} {metadata[word]:_}" for word in ("least", "most") if metadata[word] is not None]
    if metadata["unit"]:
        bounds.insert(0, f"in {metadata['unit']}")
    if bounds:
        sentence = ", ".join(bounds)
        yield f"# {sentence[0].upper()}{sentence[1:]}."


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{value:_}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.stdout.write(sample())
