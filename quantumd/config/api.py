"""The REST API, and what it shows of hosts."""

from __future__ import annotations

from attrs import frozen

from quantumd.config.setting import setting


@frozen
class ApiSettings:
    """The REST API."""

    listen: str = setting(
        "tcp:9696:interface=127.0.0.1",
        "The Twisted endpoint to listen on; under systemd socket activation the passed socket is used instead.",
    )
    instance: str = setting(
        "", "What this process is called where several API processes of a host listen on one socket; it stays the same."
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
class AgentSettings:
    """What the API shows of the roles of hosts, which it calls agents."""

    down_seconds: int = setting(
        150,
        "How long after its last report an agent is alive and its host can be bound to; hosts report three times in"
        " that, at least once a minute.",
        "seconds",
        least=3,
    )
    availability_zone: str = setting(
        "nova", "The availability zone of this host's agents, and of those that do not say theirs."
    )
