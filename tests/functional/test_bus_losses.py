"""Whatever a broker or a wire does between a change and its host: the host knows the change in the end."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from tests.bed.simulated_site import SimulatedSite
from tests.functional.test_bus_faults import FaultyCase


class RecordsCase(FaultyCase):
    """A server in a process of its own and a host here, each behind a wire; ports are plugged and realised."""

    ports: ClassVar[int] = 20

    @pytest.mark.time_limit(120)
    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        self.near, self.far = self.wire(), self.wire()
        self.site = SimulatedSite(Path(self.mktemp()).absolute(), self.amqp(self.far), self.amqp(self.near))
        self.addCleanup(self.site.stop)
        await self.site.start()
        await self.site.add_host("host-a", self.ports)
        self.port_ids = list(self.site.ports)


class LostChangeTests(RecordsCase):
    """Whatever happens between a change and its host, the host knows it in the end."""

    async def test_a_frozen_broker_loses_no_change(self) -> None:
        """Made while it is frozen, for longer than both sides believe in it."""
        self.server.freeze()
        try:
            await self.site.change(self.port_ids[:5])
            await deferLater(reactor, 4.0)
            await self.site.change(self.port_ids[5:8])
        finally:
            self.server.thaw()
        await self.site.until_right()

    async def test_a_partitioned_host_loses_no_change(self) -> None:
        """What was sent to it is in its queue, or told by digests."""
        self.near.hold()
        await self.site.change(self.port_ids[:5])
        await deferLater(reactor, 4.0)
        await self.site.change(self.port_ids[5:8])
        self.near.release()
        await self.site.until_right()

    async def test_a_partitioned_server_loses_no_change(self) -> None:
        """It tells again from its journal."""
        self.far.hold()
        await self.site.change(self.port_ids[:5])
        await deferLater(reactor, 4.0)
        await self.site.change(self.port_ids[5:8])
        self.far.release()
        await self.site.until_right()

    async def test_messages_in_a_deleted_queue_are_found_by_digests(self) -> None:
        """While the host was away somebody deleted its queue with what was in it."""
        self.near.hold()
        await deferLater(reactor, 3.0)
        await self.site.change(self.port_ids[:5])
        for kind in ("ask", "tell"):
            await deferToThread(self.server.control, "delete_queue", f"{self.site.exchange}.{kind}.l2.host-a")
        await self.site.change(self.port_ids[5:8])
        self.near.release()
        await self.site.until_right()

    async def test_a_killed_broker_loses_no_change(self) -> None:
        """What waited in its queues went with it."""
        self.near.hold()
        await deferLater(reactor, 3.0)
        await self.site.change(self.port_ids[:5])
        await deferToThread(self.server.kill)
        await self.site.change(self.port_ids[5:8])
        self.near.release()
        await deferToThread(self.server.start)
        await self.site.until_right(30.0)
