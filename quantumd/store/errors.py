"""What can go wrong in the store that is neither the caller's SQL nor a bug."""

from __future__ import annotations

from quantumd.errors import ApiError, EdgeError, EdgeUnavailable, QuantumdError


class StoreBusy(ApiError):
    """Too many requests wait for the database; the caller may try again later."""

    status = 503
    type_name = "ServiceUnavailable"

    def __init__(self, waiting: int) -> None:
        super().__init__(f"The service is busy: {waiting} requests wait for the database. Try again later.")
        self.waiting = waiting


class StoreStopped(EdgeUnavailable):
    """The store was asked for something before its start or after its stop."""

    def __init__(self) -> None:
        super().__init__("The store is not running.")


class CommitFailed(EdgeError):
    """The database did not keep a change; nothing of it is stored."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database did not keep the change: {reason}")
        self.reason = reason


class OutcomeUnknown(ApiError):
    """The connection was lost during a commit, and the database has not come back to be asked about it."""

    status = 504
    type_name = "GatewayTimeout"

    def __init__(self) -> None:
        super().__init__(
            "The database went away: it is not known whether the change was stored. Look before you repeat it."
        )


class LeaseLost(QuantumdError):
    """Another process holds the lease of a journal cursor."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The lease of the journal cursor {name} is held by somebody else.")
        self.name = name


class BackupExists(QuantumdError):
    """A backup never replaces a file."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} exists; a backup never replaces a file.")
        self.path = path
