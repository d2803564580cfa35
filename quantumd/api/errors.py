"""What a caller of the API can do wrong. Messages and types are those that clients of OpenStack Networking know."""

from __future__ import annotations

from quantumd.errors import ApiError


class HTTPBadRequest(ApiError):
    """The request itself is wrong: body, attribute names, filters."""

    status = 400


class BadRequest(ApiError):
    """A request for a resource, or for a part of a list, that makes no sense. ``reason`` has no full stop."""

    status = 400

    def __init__(self, resource: str, reason: str) -> None:
        super().__init__(f"Bad {resource} request: {reason}.")


class InvalidInput(ApiError):
    """A value is not what its attribute holds. ``reason`` is a sentence without its full stop."""

    status = 400
    type_name = "InvalidInput"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid input for operation: {reason}.")
        self.reason = reason


class InvalidValue(InvalidInput):
    """A value of the right kind is not allowed for its attribute; the API names the attribute when it answers."""

    def of_attribute(self, name: str) -> HTTPBadRequest:
        """Return the error that a caller sees when the value was meant for the attribute ``name``."""
        return HTTPBadRequest(f"Invalid input for {name}. Reason: {self.reason}.")


class Unauthorized(ApiError):
    """Nobody answers for the request, or with what is not valid. ``challenge`` says how to do better (RFC 9110)."""

    status = 401

    def __init__(self, challenge: str) -> None:
        super().__init__("The request you have made requires authentication.")
        self.challenge = challenge


class TooManyAttempts(ApiError):
    """The caller has failed to say who it is so often that it has to wait."""

    status = 429
    type_name = "TooManyRequests"

    def __init__(self, wait_seconds: int) -> None:
        super().__init__("Too many attempts to authenticate have failed; try again later.")
        self.wait_seconds = wait_seconds


class PolicyNotAuthorized(ApiError):
    """The caller's roles do not allow it. ``rules`` is the policy expression that failed."""

    status = 403

    def __init__(self, rules: str) -> None:
        super().__init__(f"{rules} is disallowed by policy")
        self.rules = rules


class HTTPNotFound(ApiError):
    """Nothing is served under this path."""

    status = 404

    def __init__(self, message: str = "The resource could not be found.") -> None:
        super().__init__(message)


class HTTPMethodNotAllowed(ApiError):
    """The path is served, but not with this method. ``allowed`` are the methods that are."""

    status = 405

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"The method {method} is not allowed for this resource.")
        self.allowed = allowed


class UnknownMarker(ApiError):
    """A page is asked for after a row that the caller cannot see; told as the resource's own NotFound."""

    status = 404

    def __init__(self, marker: str) -> None:
        super().__init__(f"The marker {marker} could not be found.")
        self.marker = marker


class RevisionNumberConstraintFailed(ApiError):
    """The resource was changed since the caller looked (``If-Match: revision_number=…``)."""

    status = 412

    def __init__(self, wanted: int, current: int) -> None:
        super().__init__(f"Constrained to {wanted}, but current revision is {current}")


class PayloadTooLarge(ApiError):
    """The request body is larger than the setting ``api.request_body_limit_bytes`` lets it be."""

    status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is larger than {limit_bytes} bytes.")
        self.limit_bytes = limit_bytes


class URITooLong(ApiError):
    """The request line is longer than is read."""

    status = 414

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The URL is longer than {limit_bytes} bytes.")


class UnsupportedMediaType(ApiError):
    """The body is not announced as JSON."""

    status = 415

    def __init__(self, content_type: str) -> None:
        super().__init__(f"The content type {content_type} is not supported; send application/json.")


class HeadersTooLarge(ApiError):
    """The request's headers are more than is read."""

    status = 431

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request line and headers are larger than {limit_bytes} bytes.")
