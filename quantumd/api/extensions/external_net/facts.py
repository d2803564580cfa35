"""Networks that lead outside, for those that want to go there."""

from __future__ import annotations

from quantumd.api.errors import BadRequest
from quantumd.api.resources.errors import NetworkNotFound
from quantumd.api.resources.facts import NetworkFacts, network_facts
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction


def external_network(tx: Transaction, context: Context, network_id: str, otherwise: BadRequest) -> NetworkFacts:
    """Return a network that leads outside. NetworkNotFound; ``otherwise`` is raised for one that does not."""
    network = network_facts(tx, network_id)
    if network is None or not network.is_visible(context.scope_of("network")):
        raise NetworkNotFound(network_id)
    if not network.is_external:
        raise otherwise
    return network
