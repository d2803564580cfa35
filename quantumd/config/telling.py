"""Other services, and how they are told what changes."""

from __future__ import annotations

from attrs import frozen

from quantumd.config.setting import setting


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
    meters_seconds: float = setting(
        300.0, "How often what metering labels counted at routers is told; 0 is never.", "seconds", least=0
    )
