"""Who asks: by what callers are identified."""

from __future__ import annotations

from attrs import frozen

from quantumd.config.setting import setting


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
