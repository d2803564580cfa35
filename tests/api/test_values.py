"""Converters of attribute values and of filters."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.api import values
from quantumd.api.errors import InvalidInput, InvalidValue
from quantumd.api.values import Member, Value

_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
_FIXED_IP_KEYS = {"subnet_id": Member(values.UUID), "ip_address": Member(values.IP_ADDRESS)}
_FIXED_IP = values.dict_of(_FIXED_IP_KEYS, at_least_one=True)
_EVERY = (
    values.BOOLEAN,
    values.NAME,
    values.UUID,
    values.UUID_OR_NONE,
    values.CIDR,
    values.IP_ADDRESS,
    values.MAC_ADDRESS,
    values.OBJECT,
    values.integer(0, 4094),
    values.one_of(4, 6),
    values.one_of("local", "flat"),
    values.list_of(values.CIDR, max_items=3),
    values.list_of(_FIXED_IP, wrong_item="Invalid data format for fixed IP: '{value}'"),
    values.none_as([], values.list_of(values.OBJECT)),
)


class RefusalTests(SynchronousTestCase):
    """Messages that clients know."""

    def reason(self, value: Value, given_value: Any) -> str:
        """Return the reason for which a value is refused."""
        refusal: InvalidInput = self.assertRaises(InvalidInput, value.convert, given_value)
        return refusal.reason

    def test_what_is_no_boolean_is_named(self) -> None:
        """The message of a wrong boolean is the one of today's servers."""
        error = self.assertRaises(InvalidInput, values.BOOLEAN.convert, "perhaps")
        self.assertEqual(str(error), "Invalid input for operation: 'perhaps' cannot be converted to boolean.")

    def test_a_prefix_that_is_too_long_is_named(self) -> None:
        """The message of a wrong prefix is the one of today's servers."""
        error = self.assertRaises(InvalidInput, values.CIDR.convert, "10.9.0.0/99")
        self.assertEqual(str(error), "Invalid input for operation: 10.9.0.0/99 is not in a CIDR format.")

    def test_long_text_is_refused(self) -> None:
        """Text longer than the attribute holds is refused with the limit."""
        self.assertEqual(self.reason(values.string(3), "four"), "'four' exceeds maximum length of 3")

    def test_a_number_is_no_text(self) -> None:
        """A number is not taken for a name."""
        self.assertEqual(self.reason(values.NAME, 5), "'5' is not a valid string")

    def test_a_refusal_does_not_repeat_megabytes(self) -> None:
        """The error for a huge value is short."""
        self.assertLess(len(self.reason(values.UUID, "x" * 1_000_000)), 400)

    def test_the_attribute_is_named_when_a_value_is_not_allowed(self) -> None:
        """A refused value tells the attribute that it was for."""
        error = self.assertRaises(InvalidValue, values.UUID.convert, "x").of_attribute("network_id")
        self.assertEqual(str(error), "Invalid input for network_id. Reason: 'x' is not a valid UUID.")

    def test_numbers_out_of_range_tell_the_limit(self) -> None:
        """A number beyond the range is refused with the limit that it breaks."""
        self.assertEqual(
            self.reason(values.integer(1, 4094), 5000), "'5000' is too large - must be no larger than '4094'"
        )
        self.assertEqual(self.reason(values.integer(1, 4094), 0), "'0' is too small - must be at least '1'")

    def test_a_fraction_is_no_integer(self) -> None:
        """A fraction is refused, not cut."""
        self.assertEqual(self.reason(values.integer(), 1.5), "'1.5' is not an integer")

    def test_the_same_item_twice_is_refused(self) -> None:
        """A list with the same address twice, even in two forms, is refused."""
        self.assertEqual(
            self.reason(values.list_of(values.IP_ADDRESS), ["fd00::1", "FD00:0::1"]),
            "Duplicate items in the list: 'FD00:0::1'",
        )

    def test_an_empty_object_is_refused_where_one_key_is_needed(self) -> None:
        """An empty fixed IP is refused."""
        self.assertIn("Expected keys", self.reason(_FIXED_IP, {}))

    def test_unknown_keys_are_refused(self) -> None:
        """A key that an object does not have is named."""
        self.assertEqual(self.reason(_FIXED_IP, {"subnet": "x"}), "Unexpected keys supplied: subnet")

    def test_text_that_addresses_everybody_is_no_port_mac(self) -> None:
        """The broadcast MAC address is refused."""
        self.assertIn("not a valid MAC", self.reason(values.MAC_ADDRESS, "ff:ff:ff:ff:ff:ff"))


class ConversionTests(SynchronousTestCase):
    """What values become."""

    def test_text_and_numbers_stand_for_booleans(self) -> None:
        """Clients may send booleans as text or number."""
        converted = [values.BOOLEAN.convert(each) for each in (True, "TRUE", "0", 1, "False")]
        self.assertEqual(converted, [True, True, False, True, False])

    def test_addresses_become_canonical(self) -> None:
        """An IPv6 address is kept in its one canonical form."""
        self.assertEqual(values.IP_ADDRESS.convert("FD00:0:0::1"), "fd00::1")

    def test_a_prefix_loses_its_host_bits(self) -> None:
        """A prefix with host bits becomes the prefix, as today."""
        self.assertEqual(values.CIDR.convert("10.0.0.5/24"), "10.0.0.0/24")

    def test_mac_addresses_of_all_forms_become_one(self) -> None:
        """MAC addresses with colons, dashes, dots or nothing are the same."""
        forms = ("FA:16:3E:00:00:01", "fa-16-3e-00-00-01", "fa16.3e00.0001", "fa163e000001")
        self.assertEqual({values.MAC_ADDRESS.convert(each) for each in forms}, {"fa:16:3e:00:00:01"})

    def test_a_choice_of_numbers_takes_their_text(self) -> None:
        """The IP version may be sent as text."""
        self.assertEqual(values.one_of(4, 6).convert("6"), 6)

    def test_filters_that_match_nothing_are_no_errors(self) -> None:
        """Filtering by an address that is none finds nothing."""
        self.assertEqual(values.filter_ip_address("nowhere"), "nowhere")

    def test_a_pair_filter_gives_key_and_value(self) -> None:
        """fixed_ips=ip_address=… is understood."""
        convert = values.filter_pair(ip_address=values.filter_ip_address)
        self.assertEqual(convert("ip_address=FD00::1"), ("ip_address", "fd00::1"))

    @settings(deadline=None)
    @given(_JSON)
    def test_every_converter_converts_or_refuses(self, value: Any) -> None:
        """No JSON value makes a converter fail in another way than by refusing it."""
        for each in _EVERY:
            try:
                each.convert(value)
            except InvalidInput as refusal:
                self.assertTrue(refusal.reason)

    @settings(deadline=None)
    @given(st.text())
    def test_converting_again_changes_nothing(self, text: str) -> None:
        """What a converter returned it takes as it is."""
        for each in (values.CIDR, values.IP_ADDRESS, values.MAC_ADDRESS, values.UUID, values.BOOLEAN):
            try:
                once = each.convert(text)
            except InvalidInput:
                continue
            self.assertEqual(each.convert(once), once)
