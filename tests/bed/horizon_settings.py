"""Horizon's settings in tests: its defaults, conf/horizon, and where things are. Imported by its environment's Python.

``HORIZON_KEYSTONE`` in the environment is where the login asks; static files are made when the environment is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

_OURS = Path(__file__).parents[2] / "conf" / "horizon" / "_50_quantumd.py"
# Horizon reads this module in the middle of its own settings: what is computed from these comes after it.
_local = ModuleType("local.local_settings")
vars(_local).update(
    ALLOWED_HOSTS=["127.0.0.1"],
    AVAILABLE_THEMES=[("default", "Default", "themes/default")],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    COMPRESS_OFFLINE=True,
    LANGUAGES=(("en", "English"),),
    OPENSTACK_KEYSTONE_URL=os.environ.get("HORIZON_KEYSTONE", ""),
    SECRET_KEY=os.urandom(32).hex(),
    STATIC_ROOT=str(Path(sys.prefix) / "static"),
)
sys.modules[_local.__name__] = _local

from openstack_dashboard.settings import *  # type: ignore[import-not-found]  # noqa: E402, F403

exec(compile(_OURS.read_text(), _OURS, "exec"))
