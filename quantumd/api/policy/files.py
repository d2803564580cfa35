"""The policy of the file that the settings name."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from quantumd.api.policy.rules import Policy, default_policy, make_policy
from quantumd.errors import SettingsError

LARGEST_BYTES: Final = 1_048_576
"""No policy file is larger."""


def load_policy(path: str, known: Collection[str] = ()) -> Policy:
    """Return the policy of the file, or the defaults when there is no path.

    :param known: see ``make_policy``.
    :raises SettingsError: the file cannot be read or used; the sentence names the line.
    """
    if not path:
        return default_policy()
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"api.policy_file {path} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_BYTES:
        raise SettingsError(f"api.policy_file {path} is larger than {LARGEST_BYTES} bytes")
    # YAML is loaded for those who have a policy file: it would make every start longer.
    from quantumd.api.policy.overrides import read_overrides

    return make_policy(read_overrides(content, path), path, known)
