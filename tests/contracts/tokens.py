"""What every Keystone is to ``KeystoneTokens``; a mixin for trial's TestCase. The one in memory keeps it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve
from zope.interface.verify import verifyObject

from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.interfaces import ITokens
from quantumd.errors import EdgeError

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

EVERYTHING = {"system": {"all": True}}


class TokensContract(_Base):
    """``setUp`` sets ``keystone``, whose user ``service`` asks by ``tokens``."""

    keystone: Any
    service: Any
    tokens: Any

    async def ask(self, token: str, tokens: Any = None, allow_expired: bool = False) -> Caller | None:
        """Validate a token."""
        raise NotImplementedError

    def tokens_of(self, user: Any) -> Any:
        """Return tokens asked for by another user."""
        raise NotImplementedError

    async def validated(self, token: str) -> Caller:
        """Validate a token that is valid."""
        caller = await self.ask(token)
        if caller is None:
            self.fail("a valid token is said to be not valid")
        return caller

    def test_it_is_one(self) -> None:
        """The interface is kept."""
        self.assertTrue(verifyObject(ITokens, self.tokens))

    async def test_a_token_of_a_project_tells_user_project_and_roles(self) -> None:
        """Roles that others imply are among them."""
        user = self.keystone.make_user("member")
        caller = await self.validated(self.keystone.token(user))
        self.assertEqual(
            (caller.user_id, caller.project_id, caller.roles, caller.system_scope, caller.domain_id),
            (user.id, user.project.id, frozenset({"member", "reader"}), None, None),
        )

    async def test_a_token_of_the_system_is_known(self) -> None:
        """It has roles and no project."""
        user = self.keystone.make_user()
        self.keystone.grant(user, "reader", "/system")
        caller = await self.validated(self.keystone.token(user, EVERYTHING))
        self.assertEqual((caller.system_scope, caller.project_id, caller.roles), ("all", None, frozenset({"reader"})))

    async def test_a_token_of_a_domain_is_known(self) -> None:
        """It has roles and no project."""
        user = self.keystone.make_user()
        self.keystone.grant(user, "admin", "/domains/default")
        caller = await self.validated(self.keystone.token(user, {"domain": {"id": "default"}}))
        self.assertEqual((caller.domain_id, caller.project_id), ("default", None))
        self.assertIn("admin", caller.roles)

    async def test_a_token_without_scope_has_no_roles(self) -> None:
        """Somebody, who may do nothing."""
        caller = await self.validated(self.keystone.token(self.keystone.make_user("admin"), "unscoped"))
        self.assertEqual((caller.project_id, caller.roles), (None, frozenset()))

    async def test_what_is_no_token_is_not_valid(self) -> None:
        """Whatever a caller sends."""
        for token in ("bogus", "x" * 8192, "%00", "gAAAAAB", "../../users"):
            self.assertIsNone(await self.ask(token))

    async def test_a_revoked_token_is_not_valid(self) -> None:
        """From now on."""
        token = self.keystone.token(self.keystone.make_user("member"))
        await self.validated(token)
        self.keystone.revoke_token(token)
        self.assertIsNone(await self.ask(token))

    async def test_a_revoked_token_is_not_valid_for_services_either(self) -> None:
        """To have ended is one thing, to be revoked another."""
        token = self.keystone.token(self.keystone.make_user("member"))
        self.keystone.revoke_token(token)
        self.assertIsNone(await self.ask(token, allow_expired=True))

    async def test_a_good_token_is_good_for_services_too(self) -> None:
        """Whether it may have ended or not."""
        user = self.keystone.make_user("member")
        caller = await self.ask(self.keystone.token(user), allow_expired=True)
        self.assertEqual(caller and caller.user_id, user.id)

    async def test_a_deleted_users_token_is_not_valid(self) -> None:
        """The user is gone, and so is the token."""
        user = self.keystone.make_user("member")
        token = self.keystone.token(user)
        self.keystone.delete_user(user)
        self.assertIsNone(await self.ask(token))

    async def test_a_wrong_password_is_no_answer(self) -> None:
        """Of no token is said that it is not valid when Keystone does not listen to us."""
        token = self.keystone.token(self.keystone.make_user("member"))
        stranger = self.tokens_of(evolve(self.service, password="wrong"))
        try:
            await self.ask(token, stranger)
        except EdgeError as error:
            self.assertNotIn("wrong", str(error))
        else:
            self.fail("validated with a wrong password")
