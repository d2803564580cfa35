"""What limits do to create requests."""

from __future__ import annotations

from quantumd.api.extensions.quotas.counts import countables
from quantumd.config import QuotaSettings
from quantumd.store.tables.tallies import TALLIED
from tests.api.resources.bed import ADMIN, ALICE, Bed
from tests.api.resources.case import ResourceCase

_NOWHERE = "00000000-0000-0000-0000-000000000000"


class AdmissionTests(ResourceCase):
    """Create requests at the limit."""

    quota = QuotaSettings(network=2, subnet=-1, port=3)

    def setUp(self) -> None:
        """Make the database."""
        self.bed = Bed(quota=self.quota, database=self.database)
        self.addCleanup(self.bed.close)

    def commit(self) -> None:
        """Begin a new commit: nothing that was kept in the last one is known."""
        self.bed.tx().cache.clear()

    def test_the_limit_is_reached_and_not_passed(self) -> None:
        """The last one that is allowed is made; the next is refused, by name."""
        self.bed.create("network", ALICE)
        self.commit()
        self.bed.create("network", ALICE)
        message = self.assert_refused(409, "OverQuota", self.bed.create, "network", ALICE)
        self.assertEqual(message, "Quota exceeded for resources: ['network'].")

    def test_bulk_counts_together(self) -> None:
        """Of several at once none is made when together they are too many."""
        self.assert_refused(409, "OverQuota", self.bed.create_many, "network", [{}, {}, {}], ALICE)
        self.assertEqual(self.bed.listed("network", ALICE), [])
        self.assertEqual(len(self.bed.create_many("network", [{}, {}], ALICE)), 2)

    def test_projects_are_counted_apart(self) -> None:
        """What an administrator makes for a project counts for that project."""
        self.bed.create_many("network", [{"project_id": "alice"}, {"project_id": "bob"}] * 2, ADMIN)
        self.assert_refused(409, "OverQuota", self.bed.create, "network", ALICE)
        self.assertTrue(self.bed.create("network", ADMIN))

    def test_own_limits_count(self) -> None:
        """A project's own limit is the one that holds, also at once after it was set."""
        self.bed.create_many("network", [{}, {}], ALICE)
        self.bed.act("PUT", "quotas/<project_id>", {"quota": {"network": 3}}, project_id="alice")
        self.bed.create("network", ALICE)
        self.assert_refused(409, "OverQuota", self.bed.create, "network", ALICE)

    def test_a_limit_below_use_refuses_only_new_ones(self) -> None:
        """Nothing is taken away by a lower limit."""
        made = self.bed.create_many("network", [{}, {}], ALICE)
        self.bed.act("PUT", "quotas/<project_id>", {"quota": {"network": 0, "force": True}}, project_id="alice")
        self.assert_refused(409, "OverQuota", self.bed.create, "network", ALICE)
        self.bed.update("network", made[0]["id"], ALICE, name="still")

    def test_a_tally_that_is_too_high_refuses_nobody(self) -> None:
        """It is put right when it would."""
        tx = self.bed.tx()
        tx.tally("network", "alice", 5)
        self.bed.create_many("network", [{}, {}], ALICE)
        self.assertEqual(tx.untold("network", "alice"), 2)
        self.assert_refused(409, "OverQuota", self.bed.create, "network", ALICE)

    def test_deleting_makes_room_within_the_same_commit(self) -> None:
        """A count that is kept does not refuse what a deletion made room for."""
        made = self.bed.create_many("network", [{}, {}], ALICE)
        self.bed.delete("network", made[0]["id"], ALICE)
        self.assertTrue(self.bed.create("network", ALICE))

    def test_a_change_that_fails_takes_no_place(self) -> None:
        """What was admitted and then refused by the rules is not counted."""
        for _ in range(3):
            self.assert_refused(404, "NetworkNotFound", self.bed.create, "port", ALICE, network_id=_NOWHERE)
        network_id = self.bed.create("network", ALICE)["id"]
        self.assertEqual(len(self.bed.create_many("port", [{"network_id": network_id}] * 3, ALICE)), 3)

    def test_ports_that_nobody_asked_for_are_counted(self) -> None:
        """The DHCP port that a subnet brings counts at once, also within the same commit."""
        network_id = self.bed.create("network", ALICE)["id"]
        self.bed.create("port", ALICE, network_id=network_id)
        self.bed.create("subnet", ALICE, network_id=network_id, cidr="10.0.0.0/24", ip_version=4)
        self.bed.create("port", ALICE, network_id=network_id)
        self.assert_refused(409, "OverQuota", self.bed.create, "port", ALICE, network_id=network_id)


class SecurityGroupTests(ResourceCase):
    """Groups that nobody asked for, and rules that come with groups."""

    def setUp(self) -> None:
        """Make the database: the default group brings four rules, every other one two."""
        quota = QuotaSettings(network=-1, port=-1, security_group=3, security_group_rule=6)
        self.bed = Bed(quota=quota, database=self.database)
        self.addCleanup(self.bed.close)

    def test_the_default_group_counts_at_once(self) -> None:
        """Also within the commit in which a port brings it."""
        network_id = self.bed.create("network", ALICE)["id"]
        self.bed.act("PUT", "quotas/<project_id>", {"quota": {"security_group_rule": -1}}, project_id="alice")
        self.bed.create("security_group", ALICE, name="a")
        self.bed.create("port", ALICE, network_id=network_id)
        self.bed.create("security_group", ALICE, name="b")
        self.assert_refused(409, "OverQuota", self.bed.create, "security_group", ALICE, name="c")

    def test_it_is_made_where_no_more_groups_may_be(self) -> None:
        """Ports of the project are secure all the same."""
        network_id = self.bed.create("network", ALICE)["id"]
        self.bed.act("PUT", "quotas/<project_id>", {"quota": {"security_group": 0}}, project_id="alice")
        self.assertEqual(len(self.bed.create("port", ALICE, network_id=network_id)["security_groups"]), 1)

    def test_rules_of_new_groups_count(self) -> None:
        """A group whose rules would be too many is not made."""
        self.bed.create("security_group", ALICE, name="a")
        message = self.assert_refused(409, "OverQuota", self.bed.create, "security_group", ALICE, name="b")
        self.assertEqual(message, "Quota exceeded for resources: ['security_group_rule'].")
        self.assertEqual([each["name"] for each in self.bed.listed("security_group", ALICE)], ["default", "a"])
        group_id = self.bed.listed("security_group", ALICE, name=("a",))[0]["id"]
        rule = {"security_group_id": group_id, "direction": "ingress"}
        self.assert_refused(409, "OverQuota", self.bed.create, "security_group_rule", ALICE, **rule)

    def test_without_quotas_nothing_is_refused(self) -> None:
        """As the operator wished."""
        bed = Bed(quota=QuotaSettings(enforced=False, security_group_rule=0), database=self.database)
        self.addCleanup(bed.close)
        self.assertTrue(bed.create("security_group", ALICE, name="a")["security_group_rules"])


class UnlimitedTests(ResourceCase):
    """No limits."""

    def setUp(self) -> None:
        """Make the database."""
        self.bed = Bed(quota=QuotaSettings(enforced=False, network=0), database=self.database)
        self.addCleanup(self.bed.close)

    def test_limits_may_be_off(self) -> None:
        """With the setting off limits are shown and bind nobody."""
        self.assertTrue(self.bed.create("network", ALICE))


class CountableTests(ResourceCase):
    """What quotas count."""

    def test_every_quota_of_what_is_served_can_be_counted(self) -> None:
        """A resource that names a quota has a table that the quota counts."""
        names = {each.quota for each in self.bed.served.resources if each.quota is not None}
        self.assertEqual(sorted(names - set(countables(names))), [])

    def test_counting_reads_only_the_index_on_the_project(self) -> None:
        """No count reads rows, or index entries of other projects."""
        names = {each.quota for each in self.bed.served.resources if each.quota is not None}
        for name, each in countables(names).items():
            sql, _ = each.prepared.on_sqlite
            plan = self.bed.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("alice",)).all()
            self.assertTrue(any("USING COVERING INDEX" in str(row) for row in plan), (name, plan))

    def test_rows_are_counted_only_where_it_matters(self) -> None:
        """Creates do not count them while there is room by what is kept count of; who is refused is counted."""
        self.bed.act("PUT", "quotas/<project_id>", {"quota": {"network": 50}}, project_id="alice")
        self.bed.tx().cache.clear()
        counted = self._statements()
        self.bed.create("network", ALICE)
        self.bed.create("network", ALICE)
        self.assertEqual(sum("count(*)" in each for each in counted), 0)
        self.assert_refused(409, "OverQuota", self.bed.create_many, "network", [{}] * 49, ALICE)
        self.assertEqual(sum("count(*)" in each for each in counted), 1)

    def test_whatever_quotas_bound_is_kept_count_of(self) -> None:
        """So that no create grows with what a project has."""
        names = {each.quota for each in self.bed.served.resources if each.quota is not None}
        self.assertEqual(sorted(names - TALLIED), [])

    def _statements(self) -> list[str]:
        found: list[str] = []
        raw = self.bed.connection.connection.dbapi_connection
        raw.set_trace_callback(lambda statement: found.append(statement))  # type: ignore[union-attr]
        self.addCleanup(raw.set_trace_callback, None)  # type: ignore[union-attr]
        return found
