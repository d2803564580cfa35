"""``twistd quantumd-dhcp``: what answers the DHCP clients of this host."""

from quantumd.process import Options
from quantumd.service import make_dhcp as makeService

__all__ = ("Options", "makeService")
