"""Taking port forwardings away: one, or those that lead to what a port has no longer."""

from __future__ import annotations

from collections.abc import Collection

from quantumd.api.extensions.floating_ips.rows import FLOATING_IPS, NOWHERE, change_floating_ip
from quantumd.api.extensions.port_forwardings.rows import EVERY, forwardings_of_port, has_forwardings
from quantumd.api.resources.views import View
from quantumd.model.context import Context
from quantumd.store.transaction import Transaction


def remove_forwarding(tx: Transaction, context: Context, before: View) -> None:
    """Remove a forwarding. With its last one a floating IP is at no router any more."""
    floatingip_id = before["floatingip_id"]
    EVERY.remove(tx, context, before)
    FLOATING_IPS.touch(tx, floatingip_id)
    if not has_forwardings(tx, floatingip_id):
        for floating_ip in FLOATING_IPS.views(tx.connection, context, (floatingip_id,)):
            change_floating_ip(tx, context, floating_ip, NOWHERE)


def let_go_of(tx: Transaction, context: Context, port_id: str, kept: Collection[str] = ()) -> None:
    """Remove the forwardings, whosever they are, that lead to a port, but for those to the addresses that it keeps."""
    gone = [each for each, address in forwardings_of_port(tx, port_id).items() if address not in kept]
    for view in EVERY.views(tx.connection, context, gone):
        remove_forwarding(tx, context, view)
