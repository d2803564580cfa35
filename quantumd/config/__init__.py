"""Every setting: default, unit, one sentence. ``conf/quantumd.toml`` is generated from here and checked against it.

Settings are frozen values passed to constructors; nothing reads them from a global place. ``load_settings`` reads the
file; ``python -m quantumd.config`` prints the sample file.
"""

from quantumd.config.api import AgentSettings, ApiSettings
from quantumd.config.bus import BusSettings
from quantumd.config.dns import DnsSettings
from quantumd.config.host import DatabaseSettings, DhcpSettings, HostSettings, L2Settings, L3Settings, LogSettings
from quantumd.config.identity import HttpBasicSettings, KeystoneSettings
from quantumd.config.metadata import MetadataSettings
from quantumd.config.network import NetworkSettings, QuotaSettings
from quantumd.config.reading import apply_document, default_path, load_settings
from quantumd.config.settings import Settings
from quantumd.config.telling import AmqpSettings, NotificationSettings, NovaSettings

__all__ = [
    "AgentSettings",
    "AmqpSettings",
    "ApiSettings",
    "BusSettings",
    "DatabaseSettings",
    "DhcpSettings",
    "DnsSettings",
    "HostSettings",
    "HttpBasicSettings",
    "KeystoneSettings",
    "L2Settings",
    "L3Settings",
    "LogSettings",
    "MetadataSettings",
    "NetworkSettings",
    "NotificationSettings",
    "NovaSettings",
    "QuotaSettings",
    "Settings",
    "apply_document",
    "default_path",
    "load_settings",
]
