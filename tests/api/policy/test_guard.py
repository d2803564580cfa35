"""What a guard remembers of callers."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.extensions.features import serve
from quantumd.api.policy import guard as guards
from quantumd.api.policy.guard import guard_of
from quantumd.api.policy.rules import default_policy
from quantumd.config import NetworkSettings
from quantumd.model.context import Context

MEMBER = Context("req-1", user_id="al", project_id="a", roles=frozenset({"member"}))
CALLERS = (
    MEMBER,
    evolve(MEMBER, roles=frozenset({"admin"}), is_admin=True),
    evolve(MEMBER, roles=frozenset({"reader"})),
    evolve(MEMBER, project_id="b"),
    evolve(MEMBER, user_id="bo"),
    evolve(MEMBER, system_scope="all"),
    evolve(MEMBER, service_roles=frozenset({"service"})),
    Context("req-2"),
)


class ShownTests(SynchronousTestCase):
    """What callers see of networks and ports."""

    def test_each_caller_sees_what_it_would_see_alone(self) -> None:
        """Whoever asked before: what is remembered is told apart by all that rules can be about."""
        policy = default_policy()
        for resource in serve(NetworkSettings(), (), (), preview=True).resources:
            guard = guard_of(resource, policy)
            for context in (policy.bind(each) for _ in range(2) for each in CALLERS):
                self.assertEqual(guard.shown(context), guard_of(resource, policy).shown(context), resource.member)

    def test_callers_are_told_apart(self) -> None:
        """By everything but the ids of their requests."""
        self.assertEqual(len({each.caller for each in CALLERS}), len(CALLERS))
        self.assertEqual(evolve(MEMBER, request_id="req-3", global_request_id="req-4").caller, MEMBER.caller)

    def test_few_are_remembered(self) -> None:
        """However many callers there are, memory is bounded."""
        policy = default_policy()
        guard = guard_of(next(iter(serve(NetworkSettings(), (), ()).resources)), policy)
        for number in range(guards._CALLERS + 10):
            guard.shown(policy.bind(evolve(MEMBER, user_id=f"user-{number}")))
        self.assertLessEqual(len(guard._shown), guards._CALLERS)
