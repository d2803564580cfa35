"""QoS policies and their rules."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from quantumd.api.resource import Query, Sort
from quantumd.model.context import Context
from tests.api.resources.bed import ADMIN, ALICE, BOB, View
from tests.api.resources.case import ResourceCase

CAROL = "0d5a8c3e4f6b4c1d9e2f7a8b9c0d1e2f"
_LIMIT = "bandwidth_limit_rule"
_MARK = "dscp_marking_rule"
_GUARANTEE = "minimum_bandwidth_rule"


class QosCase(ResourceCase):
    """Makes policies as administrators do."""

    def policy(self, project_id: str = "alice", **more: Any) -> str:
        """Create a policy and return its id."""
        policy_id: str = self.bed.create("policy", ADMIN, project_id=project_id, **more)["id"]
        return policy_id

    def rule(self, policy_id: str, member: str = _LIMIT, **body: Any) -> View:
        """Create a rule."""
        return self.bed.create(member, ADMIN, policy_id, **body)


class PolicyTests(QosCase):
    """Policies."""

    def test_a_new_policy_is_shown(self) -> None:
        """A policy has the standard attributes, and no rules at first."""
        made = self.bed.create("policy", name="gold", description="fast")
        self.assertEqual(made, self.bed.show("policy", made["id"]))
        self.assertEqual(
            {name: made[name] for name in ("name", "description", "shared", "is_default", "rules", "tags")},
            {"name": "gold", "description": "fast", "shared": False, "is_default": False, "rules": [], "tags": []},
        )
        self.assertEqual((made["project_id"], made["revision_number"]), ("operator", 1))

    def test_others_do_not_see_it(self) -> None:
        """A policy is seen by its project only."""
        policy_id = self.policy()
        self.assertEqual(self.bed.show("policy", policy_id, ALICE)["id"], policy_id)
        message = self.assert_refused(404, "QosPolicyNotFound", self.bed.show, "policy", policy_id, BOB)
        self.assertEqual(message, f"QoS policy {policy_id} could not be found.")
        self.assertEqual(self.bed.listed("policy", BOB), [])

    def test_a_shared_policy_is_seen_by_everybody(self) -> None:
        """Sharing shows the policy to all projects; unsharing hides it again."""
        policy_id = self.policy(shared=True)
        self.assertTrue(self.bed.show("policy", policy_id, BOB)["shared"])
        self.bed.update("policy", policy_id, shared=False)
        self.assertEqual(self.bed.listed("policy", BOB), [])

    def test_an_rbac_policy_shares_with_one_project(self) -> None:
        """A grant to one project shows the policy there, and nowhere else."""
        policy_id = self.policy_for_carol()
        carol = Context("req-carol", project_id=CAROL, roles=frozenset({"member"}))
        self.assertTrue(self.bed.show("policy", policy_id, carol)["shared"])
        self.assertEqual(self.bed.listed("policy", BOB), [])

    def policy_for_carol(self) -> str:
        """Create a policy that is shared with Carol's project, and return its id."""
        policy_id, action = self.policy(), "access_as_shared"
        self.bed.create(
            "rbac_policy", object_type="qos_policy", object_id=policy_id, action=action, target_tenant=CAROL
        )
        return policy_id

    def test_not_sharing_what_everybody_does_not_share_changes_nothing(self) -> None:
        """Also when said by an administrator whose project has a grant of its own, and so sees it as shared."""
        policy_id, operator = self.policy_for_carol(), evolve(ADMIN, project_id=CAROL)
        before, position = self.bed.show("policy", policy_id, operator), self.position()
        self.assertTrue(before["shared"])
        self.assertEqual(self.bed.update("policy", policy_id, operator, shared=False), before)
        self.assertEqual((self.bed.show("policy", policy_id, operator), self.position()), (before, position))

    def test_who_has_a_grant_can_share_with_everybody(self) -> None:
        """And take that back; the grant of its own stays, and is what it sees."""
        policy_id, operator = self.policy_for_carol(), evolve(ADMIN, project_id=CAROL)
        self.bed.update("policy", policy_id, operator, shared=True)
        self.assertTrue(self.bed.show("policy", policy_id, BOB)["shared"])
        self.assertTrue(self.bed.update("policy", policy_id, operator, shared=False)["shared"])
        self.assertEqual(self.bed.listed("policy", BOB), [])

    def test_policies_in_use_elsewhere_stay_shared(self) -> None:
        """A policy that another project's network has is not taken from it."""
        policy_id = self.policy(shared=True)
        self.bed.create("network", BOB, qos_policy_id=policy_id)
        self.assert_refused(409, "RbacPolicyInUse", self.bed.update, "policy", policy_id, shared=False)

    def test_update(self) -> None:
        """A change is a revision."""
        policy_id = self.policy()
        changed = self.bed.update("policy", policy_id, name="silver", description="slower")
        self.assertEqual((changed["name"], changed["revision_number"]), ("silver", 2))
        self.assertEqual(self.bed.show("policy", policy_id), changed)

    def test_filters_and_order(self) -> None:
        """Lists are filtered by name, sharing and default, and ordered by name."""
        one, other = self.policy(name="b", shared=True), self.policy(name="a", is_default=True)
        ids = [each["id"] for each in self.bed.query("policy", Query(sorts=(Sort("name"),)))]
        self.assertEqual(ids, [other, one])
        cases: tuple[tuple[dict[str, Any], list[str]], ...] = (
            ({"name": ("b",)}, [one]),
            ({"shared": ("true",)}, [one]),
            ({"shared": ("false",)}, [other]),
            ({"is_default": ("true",)}, [other]),
            ({"is_default": ("false",)}, [one]),
        )
        for filters, found in cases:
            self.assertEqual([each["id"] for each in self.bed.listed("policy", **filters)], found)

    def test_a_project_has_one_default(self) -> None:
        """A second default is refused, on create and on update, until the first one is none any more."""
        one, other = self.policy(is_default=True), self.policy()
        self.policy("bob", is_default=True)
        message = self.assert_refused(409, "QoSPolicyDefaultAlreadyExists", self.policy, is_default=True)
        self.assertEqual(message, "A default QoS policy exists for project alice.")
        self.assert_refused(409, "QoSPolicyDefaultAlreadyExists", self.bed.update, "policy", other, is_default=True)
        self.assertFalse(self.bed.update("policy", one, is_default=False)["is_default"])
        self.assertTrue(self.bed.update("policy", other, is_default=True)["is_default"])
        self.assertTrue(self.bed.show("policy", other)["is_default"])

    def test_naming_the_default_again_changes_nothing(self) -> None:
        """An update to what is there is no revision."""
        policy_id = self.policy(is_default=True)
        self.assertEqual(self.bed.update("policy", policy_id, is_default=True)["revision_number"], 1)

    def test_policies_in_use_are_kept(self) -> None:
        """A policy that a network or a port has is not deleted."""
        policy_id = self.policy()
        network_id = self.bed.create("network", ALICE, qos_policy_id=policy_id)["id"]
        message = self.assert_refused(409, "QosPolicyInUse", self.bed.delete, "policy", policy_id)
        self.assertEqual(message, f"QoS Policy {policy_id} is used by network {network_id}.")
        port_id = self.bed.create("port", ALICE, network_id=network_id, qos_policy_id=policy_id)["id"]
        message = self.assert_refused(409, "QosPolicyInUse", self.bed.delete, "policy", policy_id)
        self.assertEqual(message, f"QoS Policy {policy_id} is used by port {port_id}.")
        self.bed.delete("port", port_id)
        self.bed.delete("network", network_id)
        self.bed.delete("policy", policy_id)
        self.assertEqual(self.bed.listed("policy"), [])

    def test_rules_and_grants_go_with_the_policy(self) -> None:
        """Nothing of a deleted policy is left."""
        policy_id = self.policy(shared=True)
        self.rule(policy_id, max_kbps=10)
        self.bed.delete("policy", policy_id)
        self.assertEqual(self.bed.listed("rbac_policy"), [])
        self.assert_refused(404, "QosPolicyNotFound", self.bed.listed, _LIMIT, ADMIN, policy_id)


class RuleTests(QosCase):
    """Rules inside policies."""

    def test_rules_of_every_type(self) -> None:
        """Each type has its parameters, with defaults for bursts and directions."""
        policy_id = self.policy()
        made = {
            member: self.rule(policy_id, member, **body)
            for member, body in (
                (_LIMIT, {"max_kbps": 1000}),
                (_MARK, {"dscp_mark": 26}),
                (_GUARANTEE, {"min_kbps": 500}),
                ("packet_rate_limit_rule", {"max_kpps": 10}),
                ("minimum_packet_rate_rule", {"min_kpps": 1, "direction": "any"}),
            )
        }
        for member, view in made.items():
            self.assertEqual(self.bed.show(member, view["id"], ALICE, policy_id), view)
        self.assertEqual(
            [{name: value for name, value in view.items() if name != "id"} for view in made.values()],
            [
                {"max_kbps": 1000, "max_burst_kbps": 0, "direction": "egress"},
                {"dscp_mark": 26},
                {"min_kbps": 500, "direction": "egress"},
                {"max_kpps": 10, "max_burst_kpps": 0, "direction": "egress"},
                {"min_kpps": 1, "direction": "any"},
            ],
        )

    def test_policies_show_their_rules(self) -> None:
        """A policy shows its rules with their type, and every change of them is its revision."""
        policy_id = self.policy()
        rule = self.rule(policy_id, max_kbps=10)
        shown = self.bed.show("policy", policy_id)
        self.assertEqual(shown["rules"], [{**rule, "qos_policy_id": policy_id, "type": "bandwidth_limit"}])
        self.bed.update(_LIMIT, rule["id"], ADMIN, policy_id, max_kbps=20)
        self.bed.delete(_LIMIT, rule["id"], ADMIN, policy_id)
        after = self.bed.show("policy", policy_id)
        self.assertEqual((shown["revision_number"], after["revision_number"], after["rules"]), (2, 4, []))

    def test_an_update_without_a_change_is_no_revision(self) -> None:
        """Saying again what is there changes nothing."""
        policy_id = self.policy()
        rule = self.rule(policy_id, max_kbps=10)
        self.bed.update(_LIMIT, rule["id"], ADMIN, policy_id, max_kbps=10)
        self.assertEqual(self.bed.show("policy", policy_id)["revision_number"], 2)

    def test_one_rule_of_a_type_and_direction(self) -> None:
        """A second rule of the type for the same direction is refused."""
        policy_id = self.policy()
        rule = self.rule(policy_id, max_kbps=10)
        other = self.rule(policy_id, max_kbps=10, direction="ingress")
        message = self.assert_refused(409, "QoSRulesConflict", self.rule, policy_id, max_kbps=20)
        self.assertEqual(
            message,
            f"Rule bandwidth_limit conflicts with rule {rule['id']} which already exists in QoS Policy {policy_id}.",
        )
        self.assert_refused(
            409, "QoSRulesConflict", self.bed.update, _LIMIT, other["id"], ADMIN, policy_id, direction="egress"
        )
        self.rule(policy_id, _MARK, dscp_mark=8)
        self.assert_refused(409, "QoSRulesConflict", self.rule, policy_id, _MARK, dscp_mark=10)

    def test_no_guarantee_above_the_limit(self) -> None:
        """A guarantee above the limit of its direction is refused, also when one of the two is changed to it."""
        policy_id = self.policy()
        limit = self.rule(policy_id, max_kbps=10)
        message = self.assert_refused(409, "QoSRuleParameterConflict", self.rule, policy_id, _GUARANTEE, min_kbps=11)
        self.assertEqual(
            message,
            f"Unable to add the rule with value 11 to the policy {policy_id} as the existing rule of type "
            "bandwidth_limit has value 10.",
        )
        self.rule(policy_id, _GUARANTEE, min_kbps=10)
        self.assert_refused(
            409, "QoSRuleParameterConflict", self.bed.update, _LIMIT, limit["id"], ADMIN, policy_id, max_kbps=9
        )

    def test_rules_are_found_in_their_own_policy_only(self) -> None:
        """A rule of another policy or type is not found."""
        one, other = self.policy(), self.policy()
        rule = self.rule(one, max_kbps=10)
        message = self.assert_refused(404, "QosRuleNotFound", self.bed.show, _LIMIT, rule["id"], ADMIN, other)
        self.assertEqual(message, f"QoS rule {rule['id']} for policy {other} could not be found.")
        self.assert_refused(404, "QosRuleNotFound", self.bed.delete, _MARK, rule["id"], ADMIN, one)
        self.assert_refused(404, "QosPolicyNotFound", self.bed.show, _LIMIT, rule["id"], BOB, one)
        self.assertEqual(self.bed.listed(_LIMIT, ADMIN, other), [])

    def test_lists_of_rules_are_filtered(self) -> None:
        """Rules are found by their parameters."""
        policy_id = self.policy()
        self.rule(policy_id, max_kbps=10)
        wanted = self.rule(policy_id, max_kbps=20, direction="ingress")
        self.assertEqual(self.bed.listed(_LIMIT, ADMIN, policy_id, direction=("ingress",)), [wanted])
        self.assertEqual(self.bed.listed(_LIMIT, ADMIN, policy_id, max_kbps=("20",)), [wanted])

    def test_wrong_values_are_refused(self) -> None:
        """Rates are not negative, marks and directions are those that there are."""
        policy_id = self.policy()
        for member, body in (
            (_LIMIT, {"max_kbps": -1}),
            (_LIMIT, {"max_kbps": 2**31}),
            (_LIMIT, {"max_kbps": 1, "direction": "sideways"}),
            (_LIMIT, {}),
            (_MARK, {"dscp_mark": 9}),
        ):
            self.assert_refused(400, "HTTPBadRequest", self.rule, policy_id, member, **body)

    def test_rules_are_changed_under_their_own_ids(self) -> None:
        """A rule can be shown, changed and deleted without naming its policy."""
        policy_id = self.policy()
        rule = self.rule(policy_id, max_kbps=10)
        alias = f"alias_{_LIMIT}"
        self.assertEqual(self.bed.show(alias, rule["id"], ALICE), rule)
        self.assertEqual(self.bed.update(alias, rule["id"], max_kbps=20)["max_kbps"], 20)
        self.assertEqual(self.bed.show("policy", policy_id)["revision_number"], 3)
        self.assert_refused(404, "QosRuleNotFound", self.bed.show, alias, rule["id"], BOB)
        self.bed.delete(alias, rule["id"])
        self.assert_refused(404, "QosRuleNotFound", self.bed.show, alias, rule["id"])


class RuleTypeTests(QosCase):
    """Types of rules."""

    def test_every_type_is_listed_in_preview(self) -> None:
        """In preview all types are there, with what each may say."""
        types = {each["type"]: each for each in self.bed.listed("rule_type")}
        self.assertEqual(
            sorted(types),
            ["bandwidth_limit", "dscp_marking", "minimum_bandwidth", "minimum_packet_rate", "packet_rate_limit"],
        )
        parameters = types["bandwidth_limit"]["drivers"][0]["supported_parameters"]
        self.assertEqual(
            parameters[0],
            {
                "parameter_name": "max_kbps",
                "parameter_type": "range",
                "parameter_values": {"start": 0, "end": 2147483647},
            },
        )

    def test_one_type_is_shown(self) -> None:
        """A type is shown by its name."""
        self.assertEqual(self.bed.show("rule_type", "dscp_marking")["type"], "dscp_marking")
        self.assert_refused(404, "QosRuleTypeNotFound", self.bed.show, "rule_type", "teleport")

    def test_types_are_filtered(self) -> None:
        """The two flags of today choose among them."""
        self.assertEqual(len(self.bed.listed("rule_type", all_rules=("true",))), 5)
        self.assertEqual(len(self.bed.listed("rule_type", all_supported=("true",))), 5)
