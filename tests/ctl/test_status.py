"""``quantumctl status``: what is read from the running quantumd and how it is shown."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from quantumd.config import load_settings
from quantumd.ctl.status import Sample, parse_samples, report, url_of
from quantumd.metrics import Metrics


class SampleTests(SynchronousTestCase):
    """Reading ``/metrics``."""

    def test_a_line_with_labels_is_read(self) -> None:
        """Commas and braces inside of a label are part of it."""
        read = parse_samples('quantumd_ports{status="A,}B",x="1"} 3.0\n')
        self.assertEqual(read, (Sample("quantumd_ports", {"status": "A,}B", "x": "1"}, 3.0),))

    def test_comments_are_left_out(self) -> None:
        """They are for people."""
        self.assertEqual(parse_samples("# HELP a b\n# TYPE a gauge\n"), ())

    def test_what_metrics_writes_is_read(self) -> None:
        """Both ends are ours and agree."""
        metrics = Metrics()
        metrics.api.ports.labels("ACTIVE").set(7)
        self.assertIn(Sample("quantumd_ports", {"status": "ACTIVE"}, 7.0), parse_samples(metrics.text().decode()))


class ReportTests(SynchronousTestCase):
    """What is printed."""

    def test_what_is_waited_for_is_said(self) -> None:
        """Not ready without a reason would help nobody."""
        lines = list(report("http://h:1", False, {"waiting_for": ["role l2: a pass"]}, ()))
        self.assertEqual(lines[:2], ["http://h:1: not ready", "  waiting for role l2: a pass"])

    def test_ports_are_counted_by_status(self) -> None:
        """In one line."""
        samples = (Sample("quantumd_ports", {"status": "DOWN"}, 1), Sample("quantumd_ports", {"status": "ACTIVE"}, 5))
        self.assertIn("ports: ACTIVE 5, DOWN 1", list(report("u", True, {}, samples)))


class UrlTests(SynchronousTestCase):
    """Where the API is, from the settings."""

    def test_the_port_and_interface_of_the_endpoint(self) -> None:
        """As api.listen says."""
        self.assertEqual(
            url_of(load_settings(None, ["api.listen=tcp:9797:interface=127.0.0.2"])), "http://127.0.0.2:9797"
        )

    def test_an_endpoint_on_all_interfaces_is_asked_on_loopback(self) -> None:
        """quantumctl runs on the same host."""
        self.assertEqual(url_of(load_settings(None, ["api.listen=tcp:port=9797"])), "http://127.0.0.1:9797")

    def test_a_passed_socket_has_the_standard_port(self) -> None:
        """As conf/systemd/quantumd.socket has."""
        self.assertEqual(url_of(load_settings(None, ["api.listen=systemd:domain=INET"])), "http://127.0.0.1:9696")
