"""``twistd quantumd-l2``: what carries the ports of this host."""

from quantumd.process import Options
from quantumd.service import make_l2 as makeService

__all__ = ("Options", "makeService")
