"""Who asks, with ``auth = "keystone"``: from the tokens of a request to its context."""

from __future__ import annotations

from attrs import define
from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers

from quantumd.api.errors import Unauthorized
from quantumd.api.identity import global_request_id
from quantumd.api.keystone.caller import Caller
from quantumd.api.keystone.known import KnownTokens
from quantumd.model.context import Context


def challenge_of(url: str) -> str:
    """Return what callers without a valid token are told: ``url`` is where one is to be had."""
    return f'Keystone uri="{url}"'


@define(eq=False)
class KeystoneIdentity:
    """Tells who asks. Of the headers only the tokens count, whatever others say of user, project, roles or scope.

    The rule of service tokens (as keystonemiddleware 13 has it): a service that goes on with a user's request sends
    its own token in ``X-Service-Token``. Where that one has one of ``service_roles``, the user's token may have expired
    since; a service token that is not valid makes the request nobody's, and so does one without such a role if
    ``are_roles_required``.
    """

    _known: KnownTokens
    _challenge: str
    _service_roles: frozenset[str]
    _are_roles_required: bool

    def identify(
        self, request_id: str, headers: Headers, is_loopback: bool, peer: str = ""
    ) -> Context | Deferred[Context]:
        """Return who asks, or a Deferred of it when Keystone has to be asked.

        :raises Unauthorized: there is no token, or it is known to be not valid. The Deferred may fail with it too, and
            with EdgeError when Keystone cannot be asked.
        """
        token = self._one(headers, b"X-Auth-Token")
        service_token = self._one(headers, b"X-Service-Token") if headers.hasHeader(b"X-Service-Token") else b""
        if not service_token:
            return _in_context(self._known.caller(token), frozenset(), request_id, headers)
        service = self._known.caller(service_token)
        if isinstance(service, Caller):
            return self._behind(service, token, request_id, headers)
        return service.addCallback(self._behind, token, request_id, headers)

    def _one(self, headers: Headers, name: bytes) -> bytes:
        values = headers.getRawHeaders(name) or ()
        # Of two tokens none is the caller's: what stands before us may have looked at the other one.
        if len(values) != 1:
            raise Unauthorized(self._challenge)
        return values[0]

    def _behind(
        self, service: Caller, token: bytes, request_id: str, headers: Headers
    ) -> Context | Deferred[Context]:  # fmt: skip
        is_service = not self._service_roles.isdisjoint(service.roles)
        if self._are_roles_required and not is_service:
            raise Unauthorized(self._challenge)
        found = self._known.caller(token, allow_expired=is_service)
        return _in_context(found, service.roles, request_id, headers)


def _in_context(
    found: Caller | Deferred[Caller], service_roles: frozenset[str], request_id: str, headers: Headers
) -> Context | Deferred[Context]:  # fmt: skip
    if isinstance(found, Caller):
        return _context(found, service_roles, request_id, headers)
    return found.addCallback(_context, service_roles, request_id, headers)


def _context(caller: Caller, service_roles: frozenset[str], request_id: str, headers: Headers) -> Context:
    return Context(
        request_id=request_id,
        user_id=caller.user_id,
        project_id=caller.project_id,
        roles=caller.roles,
        system_scope=caller.system_scope,
        global_request_id=global_request_id(headers),
        service_roles=service_roles,
    )
