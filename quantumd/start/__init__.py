"""What ``twistd`` loads, a module for each of its commands, without a collector that looks at what is imported.

Nothing of it is garbage, and looking took a fifth of the time from the start to the first answer. ``makeService`` lets
the collector begin (``spare_the_collector`` in quantumd.process).
"""

from __future__ import annotations

import gc

gc.disable()
