"""Ansible's collection ``openstack.cloud`` against a real quantumd and a real Keystone."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.bed.ansible import Ansible, missing_ansible
from tests.bed.client_suite import Cloud
from tests.bed.keystone import missing_keystone, the_keystone

PLAYBOOKS = Path(__file__).with_name("playbooks")


class PlaybookTests(SynchronousTestCase):
    """What a playbook asks for is there after it, and a second run finds nothing to do."""

    skip = missing_keystone() or missing_ansible()

    def setUp(self) -> None:
        """Start both."""
        folder = tempfile.TemporaryDirectory(prefix="quantumd-ansible-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.cloud = Cloud(the_keystone(), Path(folder.name))
        self.addCleanup(self.cloud.close)
        self.cloud.start()
        self.ansible = Ansible(self.cloud.home, self.cloud.environment())

    def twice(self, name: str) -> None:
        """Run a playbook twice: every task changes something, then none does."""
        first, second = (self.ansible.play(PLAYBOOKS / f"{name}.yml") for _ in range(2))
        self.assertEqual([each.name for each in first if not each.is_changed], [], f"{name}: nothing to do at first")
        self.assertEqual([each.name for each in second if each.is_changed], [], f"{name}: not idempotent")

    @pytest.mark.time_limit(1500)
    def test_every_task_is_idempotent(self) -> None:
        """Networks, subnets, pools, ports, groups and rules: made, changed, removed, each twice."""
        for name in ("present", "changed", "rules_absent", "absent"):
            self.twice(name)

    @pytest.mark.time_limit(900)
    def test_routers_too(self) -> None:
        """With gateways and interfaces by subnet and by address: made, changed, removed, each twice."""
        for name in ("routers_present", "routers_changed", "routers_absent"):
            self.twice(name)
