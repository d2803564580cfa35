"""From nothing to the first answer."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.bars.bed import Row, bed, stall_row, turns


def start_bar() -> Iterator[Row]:
    """Start of the process to its first 200."""
    with bed() as here:
        seconds = [here.appliance.restart() for _ in range(7)]
        stalls, longest = turns(here.appliance)
        idle = here.appliance.pss_kib() / 1024
    median = statistics.median(seconds)
    yield Row("start of the process → first 200, median of 7", "< 1.5 s", f"{median:.2f} s", median < 1.5)
    yield Row("PSS idle", "< 90 MiB", f"{idle:.0f} MiB", idle < 90)
    yield stall_row("start", stalls, longest)
