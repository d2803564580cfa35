"""Operations become OVSDB statements that mutate, and that rely on what they say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.ovsdb.errors import OvsdbRefused
from quantumd.edge.ovsdb.interfaces import (
    EditBridgeIds,
    PutBridge,
    PutPatchPort,
    PutTunnelPort,
    RemoveBridge,
    RemovePort,
)
from quantumd.edge.ovsdb.statements import compose

BRIDGE_ID, PORT_ID, LOCAL_ID = UUID(int=1), UUID(int=2), UUID(int=3)
PUT = PutBridge("br-int", "netdev", None, frozenset({"OpenFlow15", "OpenFlow14"}), {"quantumd-a": "1"})
PATCH = PutPatchPort("br-int", "p", "q", {})
WAIT = {
    "op": "wait", "table": "Bridge", "timeout": 0, "where": [["name", "==", "br-int"]],
    "columns": ["name"], "until": "==", "rows": [{"name": "br-int"}],
}  # fmt: skip


@frozen
class Rows:
    """A database with these bridges and ports."""

    bridges: dict[str, UUID]
    ports: dict[tuple[str, str], UUID]

    def bridge_id(self, name: str) -> UUID | None:
        """See KnownRows."""
        return self.bridges.get(name)

    def port_id(self, bridge: str, name: str) -> UUID | None:
        """See KnownRows."""
        return self.ports.get((bridge, name))


EMPTY = Rows({}, {})
FULL = Rows({"br-int": BRIDGE_ID}, {("br-int", "br-int"): LOCAL_ID, ("br-int", "p"): PORT_ID})


def kinds(statements: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What is done to which table."""
    return [(statement["op"], statement["table"]) for statement in statements]


class ComposeTests(SynchronousTestCase):
    """compose()."""

    def test_a_new_bridge_comes_with_its_port_and_interface(self) -> None:
        """Four rows are tied together by names that live for the transaction."""
        bridge, link, interface, port, tie = compose((PUT,), EMPTY)
        self.assertEqual(bridge["row"]["protocols"], ["set", ["OpenFlow14", "OpenFlow15"]])
        self.assertEqual((bridge["row"]["fail_mode"], bridge["row"]["datapath_type"]), (["set", []], "netdev"))
        self.assertEqual(link["mutations"], [["bridges", "insert", ["set", [["named-uuid", bridge["uuid-name"]]]]]])
        self.assertEqual(interface["row"], {"name": "br-int", "type": "internal"})
        self.assertEqual(port["row"]["interfaces"], ["named-uuid", interface["uuid-name"]])
        self.assertEqual(tie["mutations"], [["ports", "insert", ["set", [["named-uuid", port["uuid-name"]]]]]])

    def test_a_bridge_that_is_there_is_updated(self) -> None:
        """Columns are written, keys of external_ids are replaced one by one, nothing is inserted."""
        wait, update, mutate = compose((PUT,), FULL)
        self.assertEqual(wait, WAIT)
        self.assertEqual(sorted(update["row"]), ["datapath_type", "fail_mode", "protocols"])
        delete = ["external_ids", "delete", ["set", ["quantumd-a"]]]
        self.assertEqual(mutate["mutations"], [delete, ["external_ids", "insert", ["map", [["quantumd-a", "1"]]]]])

    def test_ids_are_removed_and_put_in_one_mutation(self) -> None:
        """Keys that nobody named are not touched."""
        _, mutate = compose((EditBridgeIds("br-int", {"b": "2"}, frozenset({"a"})),), FULL)
        delete = ["external_ids", "delete", ["set", ["a", "b"]]]
        self.assertEqual(mutate["mutations"], [delete, ["external_ids", "insert", ["map", [["b", "2"]]]]])

    def test_a_patch_port_that_is_there_is_updated(self) -> None:
        """Its interface gets the peer; no port is made."""
        found = compose((PATCH,), FULL)
        self.assertEqual(kinds(found), [("wait", "Bridge"), ("wait", "Interface"), ("update", "Interface")])
        self.assertEqual(found[-1]["row"], {"type": "patch", "options": ["map", [["peer", "q"]]]})

    def test_a_patch_port_may_be_on_a_bridge_of_the_same_transaction(self) -> None:
        """The later operation sees what the earlier one makes."""
        found = compose((PUT, PATCH), EMPTY)
        self.assertEqual(kinds(found).count(("insert", "Port")), 2)

    def test_tunnel_ports(self) -> None:
        """Flows say where each frame goes; of ERSPAN the version is said too, and routes may choose the source."""
        flows = [["key", "flow"], ["remote_ip", "flow"]]
        for kind, local_ip, more in (
            ("gre", "192.0.2.1", [["local_ip", "192.0.2.1"]]),
            ("ip6gre", "", []),
            ("erspan", "", [["erspan_idx", "0"], ["erspan_ver", "1"]]),
        ):
            *_, update = compose((PutTunnelPort("br-int", "p", kind, local_ip, {}),), FULL)
            self.assertEqual(update["row"], {"type": kind, "options": ["map", sorted([*flows, *more])]})

    def test_what_relies_on_a_missing_bridge_is_refused(self) -> None:
        """Also when the same transaction removed it."""
        self.assertRaises(OvsdbRefused, compose, (PATCH,), EMPTY)
        self.assertRaises(OvsdbRefused, compose, (RemoveBridge("br-int"), PATCH), FULL)

    def test_removing_what_is_not_there_needs_no_statement(self) -> None:
        """Nothing is sent."""
        operations = (RemoveBridge("br-int"), RemovePort("br-int", "p"))
        self.assertEqual(compose(operations, EMPTY), [])

    def test_removing_takes_the_row_out_of_its_owner(self) -> None:
        """The database itself collects what nobody refers to."""
        port, bridge = compose((RemovePort("br-int", "p"), RemoveBridge("br-int")), FULL)
        self.assertEqual(port["mutations"], [["ports", "delete", ["set", [["uuid", str(PORT_ID)]]]]])
        self.assertEqual(bridge["mutations"], [["bridges", "delete", ["set", [["uuid", str(BRIDGE_ID)]]]]])

    def test_a_port_removed_twice_is_removed_once(self) -> None:
        """The second removal sees the first."""
        self.assertEqual(len(compose((RemovePort("br-int", "p"), RemovePort("br-int", "p")), FULL)), 1)

    def test_a_bridge_made_anew_has_none_of_the_old_ports(self) -> None:
        """Its internal port is made, though one of the name exists."""
        found = compose((RemoveBridge("br-int"), PUT), FULL)
        self.assertEqual(kinds(found).count(("insert", "Port")), 1)
