"""What is packed here, os-ken reads and packs to the same bytes.

os-ken brings eventlet, so it lives in an environment of its own (tests/bed/needs.py).
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow import messages
from quantumd.edge.openflow.actions import instructions
from quantumd.edge.openflow.interfaces import Flow, Group, Meter
from quantumd.edge.openflow.match import match
from tests.bed.needs import environment_python
from tests.edge.openflow.pipeline import FLOWS, GROUPS
from tests.edge.openflow.samples import ACTIONS, MATCHES

PYTHON = environment_python("oracle")


def ask(packed: list[bytes]) -> list[dict[str, Any]]:
    """Ask os-ken what the messages say."""
    done = subprocess.run(
        (PYTHON or "", str(Path(__file__).with_name("oracle.py"))), input=json.dumps([one.hex() for one in packed]),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def _is_unknown(action: str) -> bool:
    """os-ken 4.2 does not know some of Nicira's, nor fields of Ericsson's class in actions of Nicira."""
    return action in ("controller meter", "check_larger") or (
        action.split()[0] != "set" and action.split()[-1] in _ERICSSON
    )


_ERICSSON = ("nd_reserved", "nd_options_type")


class OracleTests(SynchronousTestCase):
    """The codec of someone else agrees."""

    if not PYTHON:
        skip = "needs os-ken in .venv/oracle"

    def assert_repacked(self, named: dict[str, bytes]) -> None:
        """Each message is read, and packed again to the same bytes."""
        answers = dict(zip(named, ask(list(named.values())), strict=True))
        wrong = {
            name: (packed.hex(), answers[name])
            for name, packed in named.items()
            if answers[name].get("repacked") != packed.hex()
        }
        self.assertEqual(wrong, {})

    def test_matches(self) -> None:
        """Every match of the builders, as a flow."""
        flows = [Flow(1, n, match(**fields), n << 40, b"") for n, fields in enumerate(MATCHES)]
        self.assert_repacked({str(flow): messages.flow_mod(messages.ADD, flow, 7) for flow in flows})

    def test_actions(self) -> None:
        """Every action of the builders, as a flow."""
        flows = {
            name: Flow(1, 5, match(**needs), 9, instructions(packed, goto=9, meter=3))
            for name, (packed, needs) in ACTIONS.items()
            if not _is_unknown(name)
        }
        self.assert_repacked({name: messages.flow_mod(messages.ADD, flow, 7) for name, flow in flows.items()})

    def test_pipeline(self) -> None:
        """A whole pipeline with its groups, and what removes it."""
        named = {f"add {flow}": messages.flow_mod(messages.ADD, flow, 7) for flow in FLOWS}
        named |= {f"remove {flow}": messages.flow_mod(messages.DELETE_STRICT, flow, 7) for flow in FLOWS}
        named |= {f"put {group}": messages.group_put(group, 7) for group in (*GROUPS, Group(9, ()))}
        self.assert_repacked({**named, "remove a group": messages.group_delete(9, 7)})

    def test_meters_and_bundles(self) -> None:
        """Meters, and what opens and ends bundles."""
        self.assert_repacked({
            "add": messages.meter_mod(messages.METER_ADD, Meter(5, 100, 20), 7),
            "modify": messages.meter_mod(messages.METER_MODIFY, Meter(5, 100, 20), 7),
            "add one of bits": messages.meter_mod(messages.METER_ADD, Meter(5, 100, 20, is_kbps=True), 7),
            "delete": messages.meter_delete(5, 7),
            "open": messages.bundle_control(4, messages.BUNDLE_OPEN, 7),
            "commit": messages.bundle_control(4, messages.BUNDLE_COMMIT, 7),
            "discard": messages.bundle_control(4, messages.BUNDLE_DISCARD, 7),
        })  # fmt: skip

    def test_bundled_is_the_same_message_inside(self) -> None:
        """A change of a flow inside a bundle, with the transaction id of the bundle-add."""
        flow = Flow(1, 5, match(in_port=3), 9, instructions(goto=9))
        (answer,) = ask([messages.bundled_flow_mod(4, messages.ADD, flow, 7)])
        self.assertEqual((answer["bundle"], answer["flags"]), (4, messages.BUNDLE_ATOMIC_ORDERED))
        self.assertEqual(answer["message"]["repacked"], messages.flow_mod(messages.ADD, flow, 7).hex())

    def test_reads_what_was_meant(self) -> None:
        """Not only the same bytes: the same table, priority, cookie and fields."""
        flow = Flow(3, 5, match(in_port=3, eth_type=0x0800, ipv4_dst=(0x0A000000, 0xFF000000)), 9, b"")
        (answer,) = ask([messages.flow_mod(messages.ADD, flow, 7)])
        said = answer["says"]["OFPFlowMod"]
        fields = [
            (f["OXMTlv"]["field"], f["OXMTlv"]["value"], f["OXMTlv"]["mask"])
            for f in said["match"]["OFPMatch"]["oxm_fields"]
        ]
        self.assertEqual((said["table_id"], said["priority"], said["cookie"]), (3, 5, 9))
        expected = [("in_port", 3, None), ("eth_type", 0x0800, None), ("ipv4_dst", "10.0.0.0", "255.0.0.0")]
        self.assertEqual(fields, expected)
