"""openstacksdk's own functional network tests against a real quantumd and a real Keystone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.client_suite import MENDED_SDK, SDK, Cloud
from tests.bed.client_verdict import judge, read_allowances
from tests.bed.figures import note
from tests.bed.keystone import missing_keystone, the_keystone
from tests.bed.openstack_client import missing_client

ROOT = "openstack.tests.functional"
ALLOWED = Path(__file__).with_name("allowed_sdk.txt")


class SdkTests(SynchronousTestCase):
    """The tests that ship with openstacksdk."""

    skip = missing_keystone() or missing_client()

    @pytest.mark.time_limit(900)
    def test_all_pass(self) -> None:
        """What may not pass is listed with its reason, and nothing on the list passes."""
        outcomes = self.cloud().run(SDK)
        verdict = judge(outcomes, read_allowances(ALLOWED), ROOT, is_whole=True)
        note(f"openstacksdk's network tests: {verdict.told}")
        self.assertEqual(verdict.wrong, (), "\n".join(verdict.wrong))

    @pytest.mark.time_limit(300)
    def test_what_is_broken_passes_when_it_is_mended(self) -> None:
        """Tests that can pass nowhere, because of what is wrong in them, pass without that."""
        verdict = judge(self.cloud().run(MENDED_SDK), (), "mended_sdk", is_whole=True)
        note(f"openstacksdk's network tests, mended: {verdict.told}")
        self.assertEqual(verdict.wrong, (), "\n".join(verdict.wrong))

    def cloud(self) -> Cloud:
        """Return a started cloud, which the end of the test closes."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-sdk-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        cloud = Cloud(the_keystone(), Path(folder.name))
        self.addCleanup(cloud.close)
        cloud.start()
        return cloud
