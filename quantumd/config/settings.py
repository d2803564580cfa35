"""All settings together. A new section is a class in one of the modules beside this one, and a line here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from attrs import frozen

from quantumd.config.api import AgentSettings, ApiSettings
from quantumd.config.bus import BusSettings
from quantumd.config.dns import DnsSettings
from quantumd.config.host import DatabaseSettings, DhcpSettings, HostSettings, L2Settings, L3Settings, LogSettings
from quantumd.config.identity import HttpBasicSettings, KeystoneSettings
from quantumd.config.metadata import MetadataSettings
from quantumd.config.network import NetworkSettings, QuotaSettings
from quantumd.config.telling import AmqpSettings, NotificationSettings, NovaSettings


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
    bus: BusSettings = BusSettings()
    notifications: NotificationSettings = NotificationSettings()
    l2: L2Settings = L2Settings()
    dhcp: DhcpSettings = DhcpSettings()
    l3: L3Settings = L3Settings()
    metadata: MetadataSettings = MetadataSettings()
    dns: DnsSettings = DnsSettings()
    log: LogSettings = LogSettings()

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL; without a setting it is SQLite in the state directory."""
        return self.database.url or f"sqlite:///{self.host.state_dir}/quantumd.sqlite"


def keys_of(part: Any) -> tuple[Any, ...]:
    """Return the settings of a section: attributes, with what ``setting`` said of each as metadata."""
    section: Any = type(part.default)
    return tuple(attrs.fields(section))


def every_setting() -> Iterator[tuple[Any, Any]]:
    """Yield each setting as (section, setting), in the order of the file."""
    for part in attrs.fields(Settings):
        for key in keys_of(part):
            yield part, key
