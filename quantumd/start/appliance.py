"""``twistd quantumd``: everything in one process."""

from quantumd.process import Options
from quantumd.service import make_everything as makeService

__all__ = ("Options", "makeService")
