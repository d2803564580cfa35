"""Messages of netlink, as bytes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netlink import attributes as a
from quantumd.edge.netlink.interfaces import Fdb, PortFlags
from quantumd.edge.netlink.messages import fdb, read_entry, read_link, to_flags
from quantumd.edge.netlink.wire import split
from quantumd.edge.tracked.ctnetlink import read_connection, removal
from quantumd.edge.tracked.interfaces import Connection


class AttributeTests(SynchronousTestCase):
    """Their lengths and their padding."""

    def test_what_is_packed_is_unpacked(self) -> None:
        """Of any length; nested ones too."""
        packed = a.text(3, "tap1") + a.nest(18, a.number(1, 7), a.mac(2, "fa:16:3e:00:00:01"))
        said = a.unpack(packed)
        self.assertEqual(a.read_text(said[3]), "tap1")
        inner = a.unpack(said[18])
        self.assertEqual((a.read_number(inner[1]), a.read_mac(inner[2])), (7, "fa:16:3e:00:00:01"))

    def test_a_broken_attribute_ends_it(self) -> None:
        """Nothing is read beyond the end."""
        self.assertEqual(dict(a.each(b"\x02\x00\x01\x00")), {})
        self.assertEqual(dict(a.each(b"\x20\x00\x01\x00abcd")), {})

    def test_a_broken_message_ends_a_datagram(self) -> None:
        """Whatever length it says."""
        for length in (0, 15, 400):
            self.assertEqual(list(split(length.to_bytes(4, "little") + bytes(16))), [])


class EntryTests(SynchronousTestCase):
    """Where frames go."""

    def test_an_entry_of_a_tunnel_is_read_as_it_was_written(self) -> None:
        """Of either IP version; its device has to be named."""
        for target in ("192.0.2.1", "2001:db8::1"):
            entry = Fdb("", "fa:16:3e:00:00:01", target)
            self.assertEqual(read_entry(fdb(entry, 7, is_bridge=False)), (entry, 7))

    def test_what_was_learned_is_none_of_ours(self) -> None:
        """It goes by itself."""
        entry = fdb(Fdb("", "fa:16:3e:00:00:01"), 7, is_bridge=False)
        self.assertIsNone(read_entry(entry[:8] + b"\x02" + entry[9:]))

    def test_flags_of_a_port_are_read_as_they_were_written(self) -> None:
        """In the message of its device."""
        flags = PortFlags(learning=False, flood=True)
        link, master = read_link(bytes(16) + a.text(3, "tap1") + a.number(10, 4) + to_flags(flags))
        self.assertEqual((link.name, link.flags, master), ("tap1", flags, 4))


class ConnectionTests(SynchronousTestCase):
    """Tracked connections."""

    def test_a_connection_is_read_as_it_was_written(self) -> None:
        """With ports, with types of ICMP, without either; of either IP version."""
        for connection in (
            Connection(5, 6, "10.0.0.1", "10.0.0.2", 40_000, 80),
            Connection(65_000, 17, "fd00::1", "fd00::2", 1, 65_535),
            Connection(5, 1, "10.0.0.1", "10.0.0.2", 8, 0, 77),
            Connection(5, 58, "fd00::1", "fd00::2", 128, 0, 77),
            Connection(5, 47, "10.0.0.1", "10.0.0.2"),
        ):
            self.assertEqual(read_connection(removal(connection)), connection)

    def test_what_has_no_addresses_is_no_connection(self) -> None:
        """Nor is half a message."""
        self.assertIsNone(read_connection(bytes(4)))
        self.assertIsNone(read_connection(removal(Connection(1, 6, "10.0.0.1", "10.0.0.2"))[:20]))
