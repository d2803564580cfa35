"""What an automatic topology is made of, by the operations that requests for each part would run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from attrs import frozen
from sqlalchemy import select

from quantumd.api.attribute_map import attribute_map_of
from quantumd.api.errors import BadRequest
from quantumd.api.extensions.auto_topology.errors import AutoAllocationFailure
from quantumd.api.extensions.routers.errors import RouterInterfaceNotFoundForSubnet, RouterNotFound
from quantumd.api.resource import Action, Resource
from quantumd.api.resources.pool_errors import SubnetAllocationError
from quantumd.model.context import Context
from quantumd.store.tables import subnets
from quantumd.store.transaction import Transaction

_PARTS: Final = ("network", "subnet", "router")


@frozen
class DefaultPool:
    """A default subnet pool that the project may use."""

    id: str
    ip_version: int


@frozen
class TopologyMaker:
    """Makes networks with a router that leads outside, and removes them."""

    resources: Mapping[str, Resource]
    add_interface: Callable[[Transaction, Context, Mapping[str, str], Any], Any]
    remove_interface: Callable[[Transaction, Context, Mapping[str, str], Any], Any]

    def make(
        self, tx: Transaction, context: Context, project_id: str, external_id: str, pools: Iterable[DefaultPool]
    ) -> tuple[str, str]:
        """Make a network with a subnet of each pool, and a router; return the ids of network and router.

        :raises AutoAllocationFailure: a pool has no room, or the router cannot be connected.
        """
        network_id = self._create(tx, context, project_id, "network", name="auto_allocated_network")
        try:
            made = [self._subnet(tx, context, project_id, network_id, pool) for pool in pools]
        except (SubnetAllocationError, BadRequest) as error:
            raise AutoAllocationFailure("Unable to provide project private network") from error
        try:
            gateway = {"network_id": external_id}
            router_id = self._create(
                tx, context, project_id, "router", name="auto_allocated_router", external_gateway_info=gateway
            )
            for subnet_id in made:
                self.add_interface(tx, context, {"resource_id": router_id}, {"subnet_id": subnet_id})
        except BadRequest as error:
            raise AutoAllocationFailure("Unable to provide external connectivity") from error
        return network_id, router_id

    def remove(self, tx: Transaction, context: Context, network_id: str, router_id: str) -> None:
        """Remove both; what its owner removed before is no error. ApiError while something else is connected."""
        with suppress(RouterNotFound):
            self._remove_router(tx, context, network_id, router_id)
        self.resources["network"].operations.delete(tx, context, network_id)

    def _remove_router(self, tx: Transaction, context: Context, network_id: str, router_id: str) -> None:
        self.resources["router"].operations.show(tx.connection, context, router_id)
        for subnet_id in _subnets(tx, network_id):
            with suppress(RouterInterfaceNotFoundForSubnet):
                self.remove_interface(tx, context, {"resource_id": router_id}, {"subnet_id": subnet_id})
        self.resources["router"].operations.delete(tx, context, router_id)

    def _subnet(self, tx: Transaction, context: Context, project_id: str, network_id: str, pool: DefaultPool) -> str:
        return self._create(
            tx,
            context,
            project_id,
            "subnet",
            name=f"auto_allocated_subnet_v{pool.ip_version}",
            network_id=network_id,
            ip_version=pool.ip_version,
            subnetpool_id=pool.id,
        )

    def _create(self, tx: Transaction, context: Context, project_id: str, member: str, **said: Any) -> str:
        resource = self.resources[member]
        body = attribute_map_of(resource).for_create(context, {"project_id": project_id, **said})
        (view,) = resource.operations.create(tx, context, (body,))
        return str(view["id"])


def maker_of(resources: Iterable[Resource], actions: Iterable[Action]) -> TopologyMaker:
    """Return what makes topologies by what is served; the parts are there wherever routers are."""
    by_rule = {each.rule: each.operation for each in actions}
    return TopologyMaker(
        {each.member: each for each in resources if each.member in _PARTS},
        by_rule["add_router_interface"],
        by_rule["remove_router_interface"],
    )


def _subnets(tx: Transaction, network_id: str) -> Iterator[str]:
    found = tx.connection.execute(select(subnets.c.id).where(subnets.c.network_id == network_id).order_by(subnets.c.id))
    yield from found.scalars().all()
