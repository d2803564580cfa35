"""Who may, in the words of check strings: the persons that most rules are about."""

from __future__ import annotations

from typing import Final

ADMIN: Final = "rule:admin_only"
ADMIN_OR_SERVICE: Final = "rule:admin_only or rule:service_api"
MEMBER: Final = "rule:admin_only or (role:member and project_id:%(project_id)s)"
READER: Final = "rule:admin_only or (role:reader and project_id:%(project_id)s)"
MANAGER: Final = "rule:admin_only or (role:manager and project_id:%(project_id)s)"
PARENT_MEMBER: Final = "rule:admin_only or (role:member and rule:ext_parent_owner)"
PARENT_READER: Final = "rule:admin_only or (role:reader and rule:ext_parent_owner)"
PARENT_MANAGER: Final = "rule:admin_only or (role:manager and rule:ext_parent_owner)"
NETWORK_MEMBER_OR_SERVICE: Final = "rule:admin_only or rule:service_api or role:member and rule:network_owner"
MEMBER_OR_SERVICE: Final = "rule:admin_only or (role:member and project_id:%(project_id)s) or rule:service_api"
OWN_OR_NETWORK_MEMBER: Final = (
    "rule:admin_only or role:member and project_id:%(project_id)s or role:member and rule:network_owner"
)
ANY_READER: Final = "role:reader"
NETWORK_OR_SHARED_MEMBER: Final = f"{NETWORK_MEMBER_OR_SERVICE} or role:member and rule:shared"
"""Readers change nothing, not even where everybody may."""
