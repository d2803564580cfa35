"""Metadata of instances, which VMs ask for at 169.254.169.254."""

from __future__ import annotations

from attrs import frozen

from quantumd.config.setting import setting


@frozen
class MetadataSettings:
    """Metadata: what VMs ask http://169.254.169.254 and http://[fe80::a9fe:a9fe] for, answered on each host."""

    enabled: bool = setting(
        False, "Whether VMs of this host are answered; the roles l2 and dhcp of a host agree about it."
    )
    nova_url: str = setting(
        "",
        "The root of Nova's metadata API (http://nova.example.org:8775), to which requests are passed on; empty means"
        " that this host answers by itself.",
    )
    ca_file: str = setting("", "The certificates (PEM) that an https Nova is checked by; empty means the system's.")
    secret_file: str = setting(
        "", "The file with the secret that Nova knows as metadata_proxy_shared_secret, read each time it is needed."
    )
    secret: str = setting("", "The secret itself, where there is no file.", is_secret=True)
    timeout_seconds: float = setting(
        20.0, "How long Nova may take to begin an answer, or to go on with it.", "seconds", least=0.1, most=300
    )
    connections: int = setting(64, "How many requests Nova is asked at once.", "requests", least=1, most=1024)
    connections_per_port: int = setting(
        16, "How many connections a port may have; more are answered 503.", "connections", least=1, most=1024
    )
    rate_per_port: int = setting(
        100, "How many requests of a port are answered, the others get 429; twice as many at once.",
        "requests per second", least=1,
    )  # fmt: skip
    largest_body_bytes: int = setting(
        1_048_576, "How long the body of a request may be.", "bytes", least=0, most=1_073_741_824
    )
    largest_answer_bytes: int = setting(
        67_108_864, "How long the body of Nova's answer may be.", "bytes", least=1024, most=1_073_741_824
    )
    folder: str = setting(
        "",
        "Where a host that answers by itself finds user_data, public_keys and vendor_data.json: in folders called by"
        " the ids of ports, projects, and instances below those of their projects, or default; empty is nowhere.",
    )
