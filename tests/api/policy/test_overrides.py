"""What the policy file changes, by requests: rows, attributes, changes, and that filters do not tell what is hidden."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.errors import PolicyNotAuthorized
from quantumd.api.policy.rules import Override, make_policy
from quantumd.api.resources.errors import NetworkNotFound
from quantumd.config import ApiSettings
from quantumd.model.context import Context
from tests.api.resources.bed import ALICE, BOB, Bed
from tests.api.widgets import widget_policy
from tests.api.wire import Wire


class OverrideTests(SynchronousTestCase):
    """Rules of one's own."""

    def test_an_override_of_seeing_is_sql(self) -> None:
        """Ports of everybody for members; of nobody's but the network's owner for others."""
        policy = make_policy({"get_port": Override("role:member or role:reader and rule:network_owner")})
        scopes = [
            policy.bind(Context("r", project_id="a", roles=frozenset({role}))).scope_of("port")
            for role in ("member", "reader", "")
        ]
        self.assertEqual([scope.is_everything for scope in scopes], [True, False, False])
        self.assertEqual([scope.grants for scope in scopes[1:]], [{"parent"}, frozenset()])

    def test_changes_are_asked_about_rows(self) -> None:
        """Operators of networks change everybody's, and members not even their own any more."""
        bed = Bed()
        self.addCleanup(bed.close)
        network_id = bed.create("network", ALICE)["id"]
        bed.use_policy({
            "get_network": Override("rule:owner or role:netops"),
            "update_network": Override("role:netops or 'frozen':%(name)s"),
            "delete_network": Override("'gone':%(name)s"),
        })  # fmt: skip
        netops = Context("r", project_id="ops", roles=frozenset({"netops"}))
        with self.assertRaises(PolicyNotAuthorized):
            bed.update("network", network_id, ALICE, name="mine")
        self.assertEqual(bed.update("network", network_id, netops, name="gone")["name"], "gone")
        with self.assertRaises(NetworkNotFound):
            bed.delete("network", network_id, BOB)
        bed.delete("network", network_id, ALICE)

    def test_attributes_of_widgets(self) -> None:
        """What is for administrators is neither shown nor found by others."""
        wire = Wire(settings=ApiSettings())
        headers = {"X-Project-Id": "a", "X-Roles": "member"}
        wire.create(headers, name="w")
        shown = wire.request("GET", "/v2.0/widgets", headers=headers).json["widgets"][0]
        self.assertNotIn("provider:kind", shown)
        self.assertTrue(widget_policy().has("get_widget:provider:kind"))
