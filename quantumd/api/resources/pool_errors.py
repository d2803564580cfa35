"""What can go wrong with subnet pools and address scopes. Types, messages and status codes are those of Neutron 29."""

from __future__ import annotations

from quantumd.errors import ApiError


class SubnetPoolNotFound(ApiError):
    """There is no such subnet pool in the caller's scope."""

    status = 404

    def __init__(self, subnetpool_id: str) -> None:
        super().__init__(f"Subnet pool {subnetpool_id} could not be found.")
        self.subnetpool_id = subnetpool_id


class EmptySubnetPoolPrefixList(ApiError):
    """A pool without prefixes has nothing to give."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Empty subnet pool prefix list.")


class PrefixVersionMismatch(ApiError):
    """The prefixes of a pool are of one IP version."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Cannot mix IPv4 and IPv6 prefixes in a subnet pool.")


class IllegalSubnetPoolPrefixBounds(ApiError):
    """The prefix lengths of a pool contradict each other."""

    status = 400

    def __init__(self, name: str, length: int, base_name: str, base_length: int) -> None:
        super().__init__(f"Illegal prefix bounds: {name}={length}, {base_name}={base_length}.")


class IllegalSubnetPoolPrefixUpdate(ApiError):
    """Prefixes would go that must stay. ``reason`` is a sentence."""

    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Illegal update to prefixes: {reason}.")


class IllegalSubnetPoolUpdate(ApiError):
    """The pool cannot be changed like this. ``reason`` is a clause without its full stop."""

    status = 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Illegal subnetpool update : {reason}.")


class IllegalSubnetPoolIpVersionAssociationToAddressScope(ApiError):
    """The pool's prefixes are of another IP version than the scope."""

    status = 400

    def __init__(self, subnetpool_id: str, address_scope_id: str, ip_version: int) -> None:
        super().__init__(
            f"Illegal subnetpool association: subnetpool {subnetpool_id} cannot associate with address scope "
            f"{address_scope_id} because subnetpool ip_version is not {ip_version}."
        )


class SubnetPoolDeleteError(ApiError):
    """Subnets come from the pool."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Unable to delete subnet pool: Subnet pool has existing allocations.")


class SubnetPoolQuotaExceeded(ApiError):
    """The project has taken from the pool what each project may have of it."""

    status = 409

    def __init__(self) -> None:
        super().__init__("Per-project subnet pool prefix quota exceeded.")


class SubnetAllocationError(ApiError):
    """The pool cannot give the prefix. ``reason`` is a clause without its full stop."""

    # Neutron 29 answers 500, which tells callers to try again and operators to look; it is the caller who asked.
    status = 409

    def __init__(self, reason: str) -> None:
        super().__init__(f"Failed to allocate subnet: {reason}.")


class MinPrefixSubnetAllocationError(ApiError):
    """The prefix is larger than the pool gives."""

    status = 400

    def __init__(self, prefixlen: int, min_prefixlen: int) -> None:
        super().__init__(
            f"Unable to allocate subnet with prefix length {prefixlen}, minimum allowed prefix is {min_prefixlen}."
        )


class MaxPrefixSubnetAllocationError(ApiError):
    """The prefix is smaller than the pool gives."""

    status = 400

    def __init__(self, prefixlen: int, max_prefixlen: int) -> None:
        super().__init__(
            f"Unable to allocate subnet with prefix length {prefixlen}, maximum allowed prefix is {max_prefixlen}."
        )


class NetworkSubnetPoolAffinityError(ApiError):
    """Another subnet of the network comes from another pool."""

    status = 400

    def __init__(self) -> None:
        super().__init__("Subnets hosted on the same network must be allocated from the same subnet pool.")


class NetworkAddressScopeAffinityError(ApiError):
    """Another subnet of the network is in another address scope."""

    status = 400

    def __init__(self) -> None:
        super().__init__(
            "Subnets of the same address family hosted on the same network must all participate in the same "
            "address scope."
        )


class AddressScopeNotFound(ApiError):
    """There is no such address scope in the caller's scope."""

    status = 404

    def __init__(self, address_scope_id: str) -> None:
        super().__init__(f"Address scope {address_scope_id} could not be found.")
        self.address_scope_id = address_scope_id


class AddressScopeInUse(ApiError):
    """Subnet pools are in the address scope."""

    status = 409

    def __init__(self, address_scope_id: str) -> None:
        super().__init__(
            f"Unable to complete operation on address scope {address_scope_id}. "
            "There are one or more subnet pools in use on the address scope."
        )


class AddressScopeUpdateError(ApiError):
    """The address scope cannot be changed like this. ``reason`` is a clause without its full stop."""

    status = 400

    def __init__(self, address_scope_id: str, reason: str) -> None:
        super().__init__(f"Unable to update address scope {address_scope_id} : {reason}.")


class AddressScopePrefixConflict(ApiError):
    """Two pools of an address scope share an address."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "Failed to associate address scope: subnetpools within an address scope must have unique prefixes."
        )
