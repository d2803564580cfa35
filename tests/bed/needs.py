"""What a test needs of the machine. Where it is missing the test is skipped and says so; in CI that fails the run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PREFIX = "needs "
"""Every reason begins so; tests/conftest.py fails a CI run that has one."""

CHECKOUT = Path(__file__).resolve().parents[2]


def missing(*programs: str, root: bool = True) -> str | None:
    """Return why a test cannot run here, or None: for the ``skip`` attribute of a trial test case."""
    lacking = [program for program in programs if shutil.which(program) is None]
    if root and os.geteuid() != 0:
        lacking.insert(0, "root")
    return PREFIX + ", ".join(lacking) if lacking else None


OVS = ("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-ofctl", "ip", "ethtool")
"""The programs of a private Open vSwitch with VMs; ``missing(*OVS, "udhcpc")``."""


def environment_python(name: str) -> Path | None:
    """Return the interpreter of one of the checkout's other environments (``client``, ``oracle``), if it is there.

    ``QUANTUMD_CLIENT`` and ``QUANTUMD_ORACLE`` name another directory than ``.venv/<name>``.
    """
    home = Path(os.environ.get(f"QUANTUMD_{name.upper()}", CHECKOUT / ".venv" / name))
    python = home / "bin" / "python"
    return python if python.exists() else None
