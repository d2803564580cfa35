"""What an outage of the broker costs: as much as was changed meanwhile, however many ports there are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

import pytest
from twisted.internet.threads import deferToThread

from quantumd.config import AmqpSettings
from tests.bed.simulated_site import SimulatedSite
from tests.functional.test_amqp import RabbitmqCase

A_CHANGE_BYTES = 3000
"""What a change may cost at most: two updates, a record fetched in each role, two reports, and their answers."""


class OutageTests(RabbitmqCase):
    """Two hosts, one with few ports and one with many."""

    ports: ClassVar = {"few": 40, "many": 400}

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        amqp = AmqpSettings(urls=(self.server.url,), password_file=str(self.server.password_file))
        self.site = SimulatedSite(Path(self.mktemp()).absolute(), amqp, amqp)
        self.addCleanup(self.site.stop)
        await self.site.start()
        for host, count in self.ports.items():
            await self.site.add_host(host, count)

    @pytest.mark.time_limit(300)
    async def test_it_costs_as_much_as_was_changed_however_many_ports_there_are(self) -> None:
        """The broker is killed, and loses what it had; ports of both hosts are changed before it is back."""
        nothing = await self.outage(0)
        little = await self.outage(4)
        much = await self.outage(32)
        for host in self.ports:
            self.assertLess(nothing[host]["messages"], 40)
            self.assertLessEqual(max(cost[host]["comparisons"] for cost in (nothing, little, much)), 8)
            for changes, cost in ((4, little), (32, much)):
                more = cost[host]["bytes"] - nothing[host]["bytes"]
                self.assertLess(more, changes * A_CHANGE_BYTES + 2000, (host, changes, cost, nothing))
                # What differs is asked for in pieces; what became of it is reported as it comes.
                self.assertLess(cost[host]["messages"] - nothing[host]["messages"], 30 + 6 * changes)

    async def outage(self, changes: int) -> dict[str, Counter[str]]:
        """Return what each host sent and was sent from the end of an outage on; bytes without those of comparisons.

        A comparison has a digest for each bucket that is not empty, and there may be one more or less.
        """
        site = self.site
        await site.until_quiet(1.0)
        await deferToThread(self.server.kill)
        for host in self.ports:
            await site.change([port_id for port_id, where in site.ports.items() if where == host][:changes])
        site.forget()
        await deferToThread(self.server.start)
        await site.until(lambda: site.is_connected, "the connections", 60.0)
        await site.until_right(60.0)
        await site.until_quiet(2.0)
        return {
            name: Counter(
                messages=host.bus.messages.total(),
                comparisons=host.bus.messages["compare"],
                bytes=host.bus.bytes.total() - host.bus.bytes["compare"],
            )
            for name, host in site.hosts.items()
        }
