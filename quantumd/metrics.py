"""What is measured, in Prometheus' text format. One ``Metrics`` is made at start; who counts gets the part of it.

All of it is there in every process, whatever the process does. Seconds everywhere; labels are bounded (never ids, names
or paths of callers).
"""

from __future__ import annotations

from attrs import frozen
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from quantumd.watchdog import Turns

CONTENT_TYPE = CONTENT_TYPE_LATEST
_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_TOKEN_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)
_PASS_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)


def make_registry() -> CollectorRegistry:
    """Return a registry of our own with the process's figures; the package's global one is not used."""
    # A second series for the birth of each counter would double the text and tell nothing.
    disable_created_metrics()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


@frozen
class Making:
    """Makes what counts: in one registry, with names that begin alike."""

    _registry: CollectorRegistry

    def counter(self, name: str, sentence: str, *labels: str) -> Counter:
        """Return what only grows."""
        return Counter(f"quantumd_{name}", sentence, labels, registry=self._registry)

    def gauge(self, name: str, sentence: str, *labels: str) -> Gauge:
        """Return what is at a moment."""
        return Gauge(f"quantumd_{name}", sentence, labels, registry=self._registry)

    def histogram(self, name: str, sentence: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        """Return how often something took how long."""
        return Histogram(f"quantumd_{name}", sentence, labels, buckets=buckets, registry=self._registry)


class ApiMetrics:
    """The REST API, and what it serves."""

    def __init__(self, making: Making) -> None:
        self.requests = making.counter("requests", "Requests answered.", "method", "resource", "status")
        self.request_seconds = making.histogram(
            "request_seconds", "From a request's arrival to its answer.", _REQUEST_BUCKETS, "method"
        )
        self.requests_in_progress = making.gauge("requests_in_progress", "Requests being answered.")
        self.event_streams = making.gauge("event_streams", "Streams of events.")
        self.ports = making.gauge("ports", "Ports by status.", "status")


class KeystoneMetrics:
    """Questions to Keystone."""

    def __init__(self, making: Making) -> None:
        self.token_wait_seconds = making.histogram(
            "token_wait_seconds", "How long questions to Keystone waited.", _TOKEN_BUCKETS
        )
        self.token_seconds = making.histogram(
            "token_seconds", "How long Keystone took to answer a question.", _TOKEN_BUCKETS
        )


class ProcessMetrics:
    """The process and its reactor."""

    def __init__(self, making: Making) -> None:
        self.stalls = making.counter("reactor_stalls", "Reactor turns longer than log.stall_seconds.")
        self._longest_seconds = making.gauge(
            "reactor_longest_turn_seconds", "The longest reactor turn since the start."
        )
        self._start_seconds = making.gauge(
            "start_seconds", "From the start of the process to the first turn of its reactor."
        )
        self.info = making.gauge("info", "Always 1; the version and role are its labels.", "version", "role")

    def watch(self, turns: Turns) -> None:
        """Show what a StallWatchdog sees at the moment of each scrape."""
        self._longest_seconds.set_function(lambda: turns.longest_seconds)
        self._start_seconds.set_function(lambda: turns.seconds_to_first_turn)


class LoopMetrics:
    """The loops of roles."""

    def __init__(self, making: Making) -> None:
        self.passes = making.counter("passes", "Passes of the converge loop.", "role", "result")
        """The result is done or failed."""
        self.pass_seconds = making.histogram("pass_seconds", "Duration of a pass.", _PASS_BUCKETS, "role")
        self.steps = making.counter("steps", "Steps executed.", "role")
        self.lag_seconds = making.gauge("lag_seconds", "Age of the oldest change wanted and not realised.", "role")
        """0 when all is realised."""
        self.waiting_keys = making.gauge("waiting_keys", "Work keys waiting for a pass.", "role")


class JournalMetrics:
    """The journal and who reads it."""

    def __init__(self, making: Making) -> None:
        self.position = making.gauge("journal_position", "The newest position of the journal.")
        self.cursor_lag = making.gauge(
            "cursor_lag", "Positions of the journal that a consumer has not read.", "consumer"
        )
        self.cursor_lag_seconds = making.gauge(
            "cursor_lag_seconds", "How long a consumer of the journal has been behind.", "consumer"
        )


class TellingMetrics:
    """What others are told."""

    def __init__(self, making: Making) -> None:
        self.nova_events = making.counter("nova_events", "Events that Nova has acknowledged.", "name", "outcome")
        """The outcome is taken, gone, unplaced, refused or unclear."""
        self.notifications = making.counter("notifications", "Notifications that the broker has confirmed.")
        self.broker_connected = making.gauge("broker_connected", "1 while the message broker is connected.")


class SwitchMetrics:
    """The flows of the role l2."""

    def __init__(self, making: Making) -> None:
        self.foreign_flows = making.gauge(
            "foreign_flows", "Flows of strangers on the integration bridge at the last look."
        )
        self.repaired_flows = making.gauge(
            "repaired_flows", "Flows found gone, changed or of strangers since the start."
        )
        self.unlogged_packets = making.gauge(
            "unlogged_packets", "Packets that logs asked for and that were too many, since the start."
        )


class RouterMetrics:
    """The role l3."""

    def __init__(self, making: Making) -> None:
        self.repaired_routers = making.gauge("repaired_routers", "Routers found changed by others since the start.")
        self.delegated_prefixes = making.gauge(
            "delegated_prefixes", "Prefixes that routers of this host were given, or wait for.", "state"
        )
        """The state is held or awaited."""


class ServiceMetrics:
    """What ports of this host ask it."""

    def __init__(self, making: Making) -> None:
        self.repaired = making.gauge(
            "repaired_services", "How often the place of services was found changed since the start."
        )
        self.metadata_answers = making.counter("metadata_answers", "Answers to requests for metadata.", "status")
        self.dns_questions = making.counter(
            "dns_questions", "Questions to networks' DNS servers, by what became of them.", "outcome"
        )
        """The outcome is own, forwarded, failed, limited, malformed or unknown."""
        self.dhcp_messages = making.counter("dhcp_messages", "DHCP messages received.", "kind", "outcome")
        """The kind is discover, request and so on, the outcome offer, ack, nak or ignored."""


class Metrics:
    """Everything that is counted."""

    def __init__(self) -> None:
        self.registry = make_registry()
        making = Making(self.registry)
        self.api = ApiMetrics(making)
        self.keystone = KeystoneMetrics(making)
        self.process = ProcessMetrics(making)
        self.loops = LoopMetrics(making)
        self.journal = JournalMetrics(making)
        self.telling = TellingMetrics(making)
        self.switch = SwitchMetrics(making)
        self.routers = RouterMetrics(making)
        self.services = ServiceMetrics(making)

    def text(self) -> bytes:
        """Return everything in the text format, of type ``CONTENT_TYPE``."""
        return generate_latest(self.registry)
