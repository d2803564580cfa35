"""``twistd quantumd-api``: the server side."""

from quantumd.process import Options
from quantumd.service import make_api as makeService

__all__ = ("Options", "makeService")
