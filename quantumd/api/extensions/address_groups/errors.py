"""What can go wrong with address groups. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from collections.abc import Iterable

from quantumd.errors import ApiError


class AddressGroupNotFound(ApiError):
    """There is no such address group in the scope."""

    status = 404

    def __init__(self, group_id: str) -> None:
        super().__init__(f"Address group {group_id} could not be found.")


class AddressGroupInUse(ApiError):
    """Rules of security groups name the address group."""

    status = 409

    def __init__(self, group_id: str) -> None:
        super().__init__(f"Address group {group_id} is in use on one or more security group rules.")


class AddressesNotFound(ApiError):
    """The group does not hold what is to be removed."""

    status = 404

    def __init__(self, addresses: Iterable[str], group_id: str) -> None:
        super().__init__(f"Addresses {list(addresses)} not found in the address group {group_id}.")


class AddressesAlreadyExist(ApiError):
    """The group holds what is to be added."""

    status = 400

    def __init__(self, addresses: Iterable[str], group_id: str) -> None:
        super().__init__(f"Addresses {list(addresses)} already exist in the address group {group_id}.")
