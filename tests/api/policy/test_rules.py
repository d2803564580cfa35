"""Rules: the language of oslo.policy, what is refused at start, and what the caller alone decides."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantumd.api.policy.checks import UNKNOWN
from quantumd.api.policy.files import load_policy
from quantumd.api.policy.overrides import read_overrides
from quantumd.api.policy.rules import Override, make_policy, may
from quantumd.errors import SettingsError
from quantumd.model.context import EXTERNAL, OWN, SHARED, Context, Scope

ALICE = Context("req", user_id="al", project_id="a", roles=frozenset({"member"}))


def answer(text: str, context: Context = ALICE, **target: Any) -> bool | None:
    """Return what a check string says; names of the target have ``__`` for ``:``, and what is not named is unknown."""
    policy = make_policy({"create_network": Override(text, 1)})
    known = {name.replace("__", ":"): value for name, value in target.items()}
    return policy.decide("create_network", policy.bind(context), lambda name: known.get(name, UNKNOWN))


def refusal(content: str) -> str:
    """Return why a policy file is refused."""
    try:
        make_policy(read_overrides(content.encode(), "policy.yaml"), "policy.yaml")
    except SettingsError as error:
        return str(error)
    raise AssertionError("it is taken")


class LanguageTests(SynchronousTestCase):
    """Check strings mean what they mean to oslo.policy."""

    def test_constants(self) -> None:
        """@ and nothing let everybody pass, ! nobody."""
        self.assertEqual([answer("@"), answer(""), answer("!")], [True, True, False])

    def test_roles_include_each_other(self) -> None:
        """A member is a reader and no manager; names count without case."""
        texts = ("role:reader", "role:Member", "role:manager", "role:other")
        self.assertEqual([answer(text) for text in texts], [True, True, False, False])

    def test_words_bind_as_usual(self) -> None:
        """not before and before or."""
        self.assertIs(answer("@ or ! and !"), True)
        self.assertIs(answer("(@ or !) and !"), False)
        self.assertIs(answer("not ! and @"), True)
        self.assertIs(answer("not (@ and @) OR not !"), True)

    def test_owners(self) -> None:
        """By either name of the project, and by the project of the parent."""
        for text in ("project_id:%(project_id)s", "tenant_id:%(tenant_id)s"):
            self.assertEqual([answer(text, project_id=whose) for whose in "ab"], [True, False])
        self.assertIs(answer("tenant_id:%(network:tenant_id)s", network__project_id="a"), True)
        self.assertIs(answer("project_id:a"), True)

    def test_nobody_owns_nothing(self) -> None:
        """Who is in no project does not own what belongs to none."""
        stranger = Context("req", roles=frozenset({"member"}))
        for nothing in ("", None):
            self.assertIs(answer("project_id:%(project_id)s", stranger, project_id=nothing), False)

    def test_literals_users_scopes_fields(self) -> None:
        """Everything else that there is."""
        self.assertEqual([answer("'x':%(y)s", y=value) for value in "xz"], [True, False])
        self.assertIs(answer("True:%(shared)s", shared=True), True)
        self.assertEqual([answer("user_id:al"), answer("user_id:bo"), answer("system_scope:all")], [True, False, False])
        self.assertEqual(
            [answer("field:networks:shared=True", network__shared=flag) for flag in (True, False)], [True, False]
        )
        self.assertIs(answer("field:port:device_owner=~^network:", port__device_owner="network:dhcp"), True)
        self.assertIs(answer("is_admin:True"), False)
        self.assertIs(answer("service_roles:service"), False)

    def test_what_is_not_known_is_neither(self) -> None:
        """Unless the rest decides."""
        self.assertIsNone(answer("project_id:%(project_id)s"))
        self.assertIsNone(answer("not project_id:%(project_id)s"))
        self.assertIs(answer("project_id:%(project_id)s or @"), True)
        self.assertIs(answer("project_id:%(project_id)s and !"), False)


class RefusalTests(SynchronousTestCase):
    """A policy that cannot be used does not start, and says where it is wrong."""

    def test_each_names_its_line(self) -> None:
        """Whatever is wrong with it."""
        for text in (
            "role:x and", "(role:x", "role:a role:b", "http://x", "rule:nope", "x", "'x:%(y)s", "project_id:%y",
            "field:networks=1", "field:port:name=~(", "not project_id:%(project_id)s", "user_id:%(user_id)s",
            "project_id:%(project_id)s and rule:shared", "field:networks:name=x", "role:" + "x" * 9000, "(" * 60,
        ):  # fmt: skip
            self.assertIn("policy.yaml, line 2: the rule 'get_network'", refusal(f'# first\n"get_network": "{text}"'))

    def test_circles(self) -> None:
        """However long."""
        self.assertIn("refers to itself", refusal('"get_port": "rule:x"\n"x": "rule:y"\n"y": "not rule:x"'))

    def test_unknown_names(self) -> None:
        """A name is a rule's, or another rule refers to it."""
        self.assertIn("line 1", refusal('"get_prot": "role:x"'))
        policy = make_policy(read_overrides(b'"get_port": "rule:mine"\n"mine": "role:x"', "p"))
        self.assertIn("mine", policy.checks)

    def test_what_is_no_policy_file(self) -> None:
        """Lists, numbers, names that are there twice, broken YAML, no text, too deep, too large, not there."""
        for content in (
            "[a]",
            "get_port: 1",
            "get_port: [a]",
            "default: '@'\ndefault: '!'",
            "{",
            "get_port:",
            "&a [*a]",
        ):
            self.assertIn("policy.yaml, line", refusal(content))
        self.assertIn("too deeply", refusal("[" * 100_000))
        self.assertRaises(SettingsError, read_overrides, b"\xff", "p")
        self.assertRaises(SettingsError, load_policy, "/nowhere/policy.yaml")
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(b"#" * 1_048_577)
        self.assertRaises(SettingsError, load_policy, path)

    def test_who_is_admin_is_about_callers(self) -> None:
        """There is no target when it is asked."""
        self.assertIn("about the caller only", refusal("context_is_admin: 'project_id:%(project_id)s'"))

    def test_an_empty_file_changes_nothing(self) -> None:
        """Nor one of comments."""
        self.assertEqual(read_overrides(b"# nothing\n", "p"), {})
        self.assertEqual(load_policy("").texts, make_policy().texts)


class ScopeTests(SynchronousTestCase):
    """What may be seen is what SQL selects by."""

    def scope(self, text: str | None = None, context: Context = ALICE) -> Scope:
        """Return what the caller sees of networks."""
        policy = make_policy({} if text is None else {"get_network": Override(text)})
        return policy.bind(context).scope_of("network")

    def test_defaults(self) -> None:
        """Own, shared and external ones for readers; all for administrators and services."""
        self.assertEqual(self.scope(), Scope("a", frozenset({OWN, SHARED, EXTERNAL})))
        self.assertTrue(self.scope(context=Context("r", roles=frozenset({"service"}))).is_everything)
        nobody = Context("r", project_id="a", roles=frozenset())
        self.assertEqual(self.scope(context=nobody).grants, {SHARED, EXTERNAL})

    def test_narrower_and_wider(self) -> None:
        """By the policy file; administrators too are whom it says."""
        self.assertEqual(self.scope("role:reader and project_id:%(project_id)s").grants, {OWN})
        self.assertTrue(self.scope("role:member").is_everything)
        self.assertEqual(self.scope("role:manager").grants, frozenset())
        self.assertEqual(self.scope("not role:manager and rule:shared or !").grants, {SHARED})

    def test_another_role_is_admin(self) -> None:
        """Where the policy says so."""
        policy = make_policy({"context_is_admin": Override("role:boss")})
        boss, admin = (policy.bind(Context("r", roles=frozenset({role}))) for role in ("boss", "admin"))
        self.assertEqual([boss.is_admin, admin.is_admin], [True, False])
        self.assertIs(policy.decide("create_segment", boss), True)
        self.assertIs(policy.decide("create_segment", admin), False)
        self.assertIs(policy.decide("create_segment", admin.elevated), True)

    def test_without_rules_owners_may(self) -> None:
        """The service's own work is bound to none."""
        self.assertTrue(may(ALICE, "update_port", {"project_id": "a"}))
        self.assertFalse(may(ALICE, "update_port", {"project_id": "b"}))
