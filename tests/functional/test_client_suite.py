"""python-openstackclient's own functional network tests against a real quantumd and a real Keystone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.client_suite import CLIENT, MENDED_CLIENT, Cloud
from tests.bed.client_verdict import judge, read_allowances
from tests.bed.counts import is_soak
from tests.bed.figures import note
from tests.bed.keystone import missing_keystone, the_keystone
from tests.bed.openstack_client import missing_client

ROOT = "openstackclient.tests.functional.network.v2"
ALLOWED = Path(__file__).with_name("allowed_client.txt")
SAMPLE = (
    "test_floating_ip",
    "test_l3_conntrack_helper",
    "test_port",
    "test_router",
    "test_security_group_rule",
    "test_subnet",
)


class ClientTests(SynchronousTestCase):
    """The tests that ship with python-openstackclient; each runs several commands, so most runs have a sample."""

    skip = missing_keystone() or missing_client()

    @pytest.mark.time_limit(1800)
    def test_all_pass(self) -> None:
        """What may not pass is listed with its reason, and nothing on the list passes."""
        only = () if is_soak() else [f"{ROOT}.{name}." for name in SAMPLE]
        verdict = judge(self.cloud().run(CLIENT, only), read_allowances(ALLOWED), ROOT, is_whole=is_soak())
        note(f"python-openstackclient's network tests: {verdict.told}")
        self.assertEqual(verdict.wrong, (), "\n".join(verdict.wrong))

    @pytest.mark.time_limit(300)
    def test_what_is_broken_passes_when_it_is_mended(self) -> None:
        """Tests that can pass nowhere, because of what is wrong in them, pass without that."""
        verdict = judge(self.cloud().run(MENDED_CLIENT), (), "mended_client", is_whole=True)
        note(f"python-openstackclient's network tests, mended: {verdict.told}")
        self.assertEqual(verdict.wrong, (), "\n".join(verdict.wrong))

    def cloud(self) -> Cloud:
        """Return a started cloud whose tests find the program, and which the end of the test closes."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-client-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        cloud = Cloud(the_keystone(), Path(folder.name))
        self.addCleanup(cloud.close)
        cloud.start()
        cloud.start_program()
        return cloud
