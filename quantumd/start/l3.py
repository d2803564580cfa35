"""``twistd quantumd-l3``: what carries the routers of this host."""

from quantumd.process import Options
from quantumd.service import make_l3 as makeService

__all__ = ("Options", "makeService")
