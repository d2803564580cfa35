"""Actions are packed, unpacked and put into words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.openflow import actions as a
from quantumd.edge.openflow.decode import unpack_actions, unpack_instructions
from quantumd.edge.openflow.decoded import Bits, Ct, Punt, SetField, Unknown
from quantumd.edge.openflow.interfaces import Flow
from quantumd.edge.openflow.match import match
from quantumd.edge.openflow.oxm import FIELDS, WireError
from quantumd.edge.openflow.text import actions_text, flow_text, instructions_text
from tests.edge.openflow.samples import ACTIONS

TEXTS = {
    "output": "output:3",
    "in_port": "output:IN_PORT",
    "local": "output:LOCAL",
    "output_reg": "output:NXM_NX_REG5[]",
    "output part of a register": "output:NXM_NX_REG5[3..18]",
    "group": "group:7",
    "resubmit": "resubmit(,9)",
    "set eth_src": "set_field:00:00:00:00:00:05->eth_src",
    "set reg3": "set_field:0x5->reg3",
    "load part of reg3": "load:0x1->NXM_NX_REG3[1..3]",
    "load in_port": "set_field:0->in_port",
    "move eth": "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
    "move bits": "move:NXM_NX_REG3[0..15]->NXM_NX_REG4[16..31]",
    "push_vlan": "push_vlan:0x8100,set_field:0x1005->vlan_vid,output:1",
    "pop_vlan": "pop_vlan,output:1",
    "dec_ttl": "dec_ttl",
    "set_ttl": "mod_nw_ttl:64",
    "ct": "ct(zone=9)",
    "ct commit": "ct(commit,table=5,zone=NXM_NX_REG6[0..15])",
    "ct mark": "ct(commit,zone=9,exec(set_field:0x1->ct_mark))",
    "controller meter": "controller(userdata=30.31.32.33.34.35.36.37.38.39,id=3,meter_id=1)",
    "clone": "clone(set_field:0->in_port,push_vlan:0x8100,set_field:0x1005->vlan_vid,output:1)",
    "conjunction": "conjunction(3,1/2),conjunction(5,1/3)",
}


class ActionTests(SynchronousTestCase):
    """Packing and unpacking."""

    def test_texts(self) -> None:
        """Each action reads much like in ovs-ofctl."""
        self.assertEqual({name: actions_text(unpack_actions(ACTIONS[name][0])) for name in TEXTS}, TEXTS)

    def test_every_action_is_known_again(self) -> None:
        """What the builders make, the decoder understands."""
        known = {name: unpack_actions(packed) for name, (packed, _) in ACTIONS.items()}
        self.assertEqual([name for name, found in known.items() if any(isinstance(one, Unknown) for one in found)], [])

    @given(st.sampled_from(a.SETTABLE), st.data())
    def test_set_field_round_trip(self, name: str, data: st.DataObject) -> None:
        """Any value of any field that can be set."""
        value = data.draw(st.integers(0, FIELDS[name].full))
        field = FIELDS[name]
        self.assertEqual(unpack_actions(a.set_field(name, value)), (SetField(Bits(field, 0, field.bits), value),))

    @given(st.integers(0, 31), st.data())
    def test_load_round_trip(self, first: int, data: st.DataObject) -> None:
        """Any bits of a register."""
        bits = data.draw(st.integers(1, 32 - first))
        value = data.draw(st.integers(0, (1 << bits) - 1))
        packed = a.load("reg0", value, first, bits)
        self.assertEqual(unpack_actions(packed), (SetField(Bits(FIELDS["reg0"], first, bits), value),))

    @given(st.binary(min_size=1, max_size=64), st.integers(0, 0xFFFF), st.none() | st.integers(1, 0xFFFF))
    def test_controller_round_trip(self, userdata: bytes, controller_id: int, meter: int | None) -> None:
        """Userdata of any length."""
        packed = a.controller(userdata, controller_id, meter)
        self.assertEqual(unpack_actions(packed), (Punt(userdata, controller_id, 0xFFFF, meter),))

    @given(st.booleans(), st.integers(0, 0xFFFF), st.none() | st.integers(0, 254))
    def test_ct_round_trip(self, commit: bool, zone: int, table: int | None) -> None:
        """Any zone and table."""
        packed = a.ct(commit=commit, zone=zone, table=table)
        self.assertEqual(unpack_actions(packed), (Ct(commit, False, zone, table, ()),))

    @given(st.binary(max_size=64))
    def test_any_bytes_unpack_or_are_refused(self, data: bytes) -> None:
        """Bytes that are no actions raise WireError and nothing else."""
        for unpack in (unpack_actions, unpack_instructions):
            try:
                unpack(data)
            except WireError:
                continue

    @given(st.sampled_from(sorted(ACTIONS)), st.data())
    def test_changed_bytes_unpack_or_are_refused(self, name: str, data: st.DataObject) -> None:
        """An action with a byte changed anywhere does not break the decoder, nor the text."""
        packed = bytearray(a.instructions(ACTIONS[name][0], goto=4, meter=1))
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
        instructions_text(bytes(packed))

    def test_flow_on_one_line(self) -> None:
        """A whole flow as logs show it."""
        packed = a.instructions(a.output(1), goto=4, meter=2)
        self.assertEqual(
            flow_text(Flow(3, 9, match(in_port=1), 0x51, packed)),
            "cookie=0x51, table=3, priority=9,in_port=1 actions=meter:2,output:1,goto_table:4",
        )

    def test_nothing_is_a_drop(self) -> None:
        """No instructions at all drop the packet."""
        self.assertEqual(instructions_text(a.DROP), "drop")

    def test_mistakes_are_refused(self) -> None:
        """What would be another action than meant is refused when it is built."""
        self.assertRaises(ValueError, a.set_field, "reg1", 1 << 32)
        self.assertRaises(ValueError, a.load, "reg1", 4, 0, 2)
        self.assertRaises(ValueError, a.load, "reg1", 1, 30, 4)
        self.assertRaises(ValueError, a.move, "eth_src", "reg1")
        self.assertRaises(ValueError, a.controller, b"", 3)
        self.assertRaises(ValueError, a.set_field, "reg16", 1)
