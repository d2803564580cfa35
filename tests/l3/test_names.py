"""What is given to nft comes from ids and addresses only, whatever a record says of a router."""

from __future__ import annotations

import re
import uuid
from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantumd.edge.netns.interfaces import Seen
from quantumd.edge.nft.interfaces import Ruleset
from quantumd.edge.nft.script import script
from quantumd.l3.desired import desire
from quantumd.l3.filtering import filter_deeds, filters_change
from quantumd.model.router_records import FloatingAddress, RouterLink, RouterRecord

IDS = st.uuids(version=4).map(str)
ADDRESSES = st.ip_addresses(v=4).map(str)
_WORDS = re.compile(r"""[-a-z0-9_.:;@,*!={}"' \n]*""")


@st.composite
def records(draw: st.DrawFn) -> RouterRecord:
    """A router as the API lets it be: ids and addresses are such, and everything that a user names is absent."""
    gateway = RouterLink(draw(IDS), draw(IDS), "fa:16:3e:00:00:01", 1500, (f"{draw(ADDRESSES)}/24",))
    floating = tuple(
        FloatingAddress(draw(IDS), draw(ADDRESSES), draw(ADDRESSES)) for _ in range(draw(st.integers(0, 3)))
    )
    return RouterRecord(draw(IDS), 1, True, (), gateway, enable_snat=draw(st.booleans()), floating_ips=floating)


class TextTests(SynchronousTestCase):
    """The commands."""

    @given(records())
    def test_there_is_no_text_of_a_user_in_them(self, record: RouterRecord) -> None:
        """Nothing but lower case, digits and nft's signs; each command on a line that begins as ours do."""
        desired = desire(record)
        assert desired is not None
        text = script(filters_change(desired, Ruleset()), ("inet",))
        self.assertTrue(_WORDS.fullmatch(text), text)
        begins = re.compile("(add|delete|flush) (table|chain|set|map|rule|element) inet quantumd")
        self.assertEqual([line for line in text.splitlines() if not begins.match(line)], [])

    def test_what_ends_is_named_by_addresses(self) -> None:
        """Those that the namespace had."""
        record = RouterRecord(str(uuid.uuid4()), 1, True, ())
        desired = desire(record)
        assert desired is not None
        had = Ruleset(elements={("inet", "floating", str(IPv4Address("203.0.113.5"))): "10.0.0.5"})
        texts = [
            script(each.change, ("inet",)) for each in filter_deeds(desired, Seen(), had) if hasattr(each, "change")
        ]
        self.assertIn("add element inet quantumd ending { 203.0.113.5 }", texts[0])
