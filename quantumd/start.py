"""What ``twistd quantumd`` loads: the composition root, without a garbage collector that looks at what is imported.

Nothing of it is garbage, and looking took a fifth of the time from the start to the first answer. ``makeService`` lets
the collector begin (``spare_the_collector`` in quantumd.service).
"""

from __future__ import annotations

import gc

gc.disable()

from quantumd.service import Options, makeService  # noqa: E402 - after the line that is the reason for this module

__all__ = ("Options", "makeService")
