"""Who is told of what: over one of everything that is served."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import func, select
from twisted.trial.unittest import SynchronousTestCase

from quantumd.store.tables import journal
from tests.api.events.listener import Listener, Told, listen
from tests.api.everything import ADMIN
from tests.api.tenants_world import ALICE, MANAGER, OPERATORS, PRIVATE, STRANGERS, Kept, World, alices_world

ONLY_IN_THE_JOURNAL = frozenset({"quota", "qos_rule", "port_binding", "local_ip_association"})
"""What is no resource with attributes of its own; told to administrators."""


class EverythingTests(SynchronousTestCase):
    """One of everything is made, then everybody reads the stream from its beginning."""

    world: ClassVar[World]

    @classmethod
    def setUpClass(cls) -> None:
        """Make it once: nothing here changes it."""
        cls.world = alices_world()

    def listen(self, headers: dict[str, str] | object) -> Listener:
        """Read all."""
        listener = listen(self.world.api, headers, Last_Event_ID="0")  # type: ignore[arg-type]
        self.addCleanup(listener.leave)
        return listener

    def test_administrators_are_told_of_everything(self) -> None:
        """Of every row, in order, and of nothing that nobody knows."""
        events = self.listen(ADMIN).events
        found: list[int] = []
        self.world.api.wire.store.read(
            lambda connection: connection.execute(select(func.count()).select_from(journal)).scalar()
        ).addCallback(found.append)
        self.assertEqual(len(events), found[0])
        self.assertEqual([each.id for each in events], sorted({each.id for each in events}))
        served = {each.journal_name for each in self.world.api.served.resources}
        self.assertEqual({each.data["resource"] for each in events} - served - ONLY_IN_THE_JOURNAL, set())

    def test_strangers_are_told_nothing(self) -> None:
        """Neither of what Alice has, nor that there is anything."""
        for name, headers in STRANGERS.items():
            content = self.listen(headers).content.decode()
            self.assertEqual([each for each in self.world.secrets() if each in content], [], name)

    def test_alice_is_told_what_she_may_see(self) -> None:
        """Of each thing of hers, what a GET of it shows, and nothing that it does not show."""
        for headers, least in ((ALICE, 10), (MANAGER, 11)):
            newest = {(each.data["resource"], each.data["resource_id"]): each for each in self.listen(headers).events}
            own = [kept for kept in self.world.kept.values() if kept.guard == PRIVATE and self.key(kept) in newest]
            self.assertGreaterEqual(len(own), least)
            for kept in own:
                shown = self.world.api.request("GET", f"{kept.path}/{kept.id}", headers=headers)
                self.assertEqual(shown.status, 200, kept.member)
                self.assertEqual(self.beyond(newest[self.key(kept)], shown.json[kept.member]), set(), kept.member)

    def key(self, kept: Kept) -> tuple[str, str]:
        """How the journal calls it."""
        names = {each.member: each.journal_name for each in self.world.api.served.resources}
        return names[kept.member], kept.id

    def beyond(self, event: Told, shown: dict[str, object]) -> set[str]:
        """What of an event a GET does not show."""
        return {name for part in ("before", "after") for name in event.data[part] or ()} - set(shown)

    def test_alice_is_not_told_what_operators_keep(self) -> None:
        """Segments, ranges, bindings and the like."""
        # How full a network is goes by the id of the network.
        own = {each.id for each in self.world.kept.values() if each.guard == PRIVATE}
        kept = {each.id for each in self.world.kept.values() if each.guard == OPERATORS} - own
        events = self.listen(ALICE).events
        self.assertEqual({each.data["resource_id"] for each in events} & kept, set())
        hidden = ("provider:", "binding:host", "binding:profile", "binding:vif", "host_id", "hints")
        content = self.listen(ALICE).content.decode()
        self.assertEqual([each for each in hidden if f'"{each}' in content], [])
