"""What is measured, in Prometheus' text format. One ``Metrics`` is made at start and passed to whoever counts."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

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
class Metrics:
    """Everything that is counted. Seconds everywhere; labels are bounded (never ids, names or paths of callers)."""

    registry: CollectorRegistry = field(factory=make_registry)
    requests: Counter = field(init=False)
    """Answered requests by method, resource and status code."""
    request_seconds: Histogram = field(init=False)
    requests_in_progress: Gauge = field(init=False)
    event_streams: Gauge = field(init=False)
    stalls: Counter = field(init=False)
    stall_longest_seconds: Gauge = field(init=False)
    start_seconds: Gauge = field(init=False)
    passes: Counter = field(init=False)
    """Passes of the converge loop by role and result (done, failed)."""
    pass_seconds: Histogram = field(init=False)
    steps: Counter = field(init=False)
    """Steps by role."""
    lag_seconds: Gauge = field(init=False)
    """By role: age of the oldest change that is wanted and not realised; 0 when all is."""
    waiting_keys: Gauge = field(init=False)
    journal_position: Gauge = field(init=False)
    cursor_lag: Gauge = field(init=False)
    """By consumer of the journal: positions not yet read."""
    cursor_lag_seconds: Gauge = field(init=False)
    nova_events: Counter = field(init=False)
    """By name and by what became of them: taken, gone, unplaced, refused, unclear."""
    notifications: Counter = field(init=False)
    broker_connected: Gauge = field(init=False)
    ports: Gauge = field(init=False)
    """Ports by status."""
    foreign_flows: Gauge = field(init=False)
    repaired_flows: Gauge = field(init=False)
    repaired_routers: Gauge = field(init=False)
    delegated_prefixes: Gauge = field(init=False)
    """By state: held, awaited."""
    repaired_services: Gauge = field(init=False)
    metadata_answers: Counter = field(init=False)
    """By status."""
    dns_questions: Counter = field(init=False)
    """By outcome: own, forwarded, failed, limited, malformed, unknown."""
    unlogged_packets: Gauge = field(init=False)
    dhcp_messages: Counter = field(init=False)
    """By kind (discover, request…) and outcome (offer, ack, nak, ignored)."""
    token_wait_seconds: Histogram = field(init=False)
    """How long questions to Keystone waited for their turn."""
    token_seconds: Histogram = field(init=False)
    """How long Keystone took to answer one."""
    info: Gauge = field(init=False)

    @requests.default
    def _requests(self) -> Counter:
        return self._counter("requests", "Requests answered.", "method", "resource", "status")

    @request_seconds.default
    def _request_seconds(self) -> Histogram:
        return self._histogram("request_seconds", "From a request's arrival to its answer.", _REQUEST_BUCKETS, "method")

    @requests_in_progress.default
    def _requests_in_progress(self) -> Gauge:
        return self._gauge("requests_in_progress", "Requests being answered.")

    @event_streams.default
    def _event_streams(self) -> Gauge:
        return self._gauge("event_streams", "Streams of events.")

    @stalls.default
    def _stalls(self) -> Counter:
        return self._counter("reactor_stalls", "Reactor turns longer than log.stall_seconds.")

    @stall_longest_seconds.default
    def _stall_longest_seconds(self) -> Gauge:
        return self._gauge("reactor_longest_turn_seconds", "The longest reactor turn since the start.")

    @start_seconds.default
    def _start_seconds(self) -> Gauge:
        return self._gauge("start_seconds", "From the start of the process to the first turn of its reactor.")

    @passes.default
    def _passes(self) -> Counter:
        return self._counter("passes", "Passes of the converge loop.", "role", "result")

    @pass_seconds.default
    def _pass_seconds(self) -> Histogram:
        return self._histogram("pass_seconds", "Duration of a pass.", _PASS_BUCKETS, "role")

    @steps.default
    def _steps(self) -> Counter:
        return self._counter("steps", "Steps executed.", "role")

    @lag_seconds.default
    def _lag_seconds(self) -> Gauge:
        return self._gauge("lag_seconds", "Age of the oldest change wanted and not realised.", "role")

    @waiting_keys.default
    def _waiting_keys(self) -> Gauge:
        return self._gauge("waiting_keys", "Work keys waiting for a pass.", "role")

    @journal_position.default
    def _journal_position(self) -> Gauge:
        return self._gauge("journal_position", "The newest position of the journal.")

    @cursor_lag.default
    def _cursor_lag(self) -> Gauge:
        return self._gauge("cursor_lag", "Positions of the journal that a consumer has not read.", "consumer")

    @cursor_lag_seconds.default
    def _cursor_lag_seconds(self) -> Gauge:
        return self._gauge("cursor_lag_seconds", "How long a consumer of the journal has been behind.", "consumer")

    @nova_events.default
    def _nova_events(self) -> Counter:
        return self._counter("nova_events", "Events that Nova has acknowledged.", "name", "outcome")

    @notifications.default
    def _notifications(self) -> Counter:
        return self._counter("notifications", "Notifications that the broker has confirmed.")

    @broker_connected.default
    def _broker_connected(self) -> Gauge:
        return self._gauge("broker_connected", "1 while the message broker is connected.")

    @ports.default
    def _ports(self) -> Gauge:
        return self._gauge("ports", "Ports by status.", "status")

    @foreign_flows.default
    def _foreign_flows(self) -> Gauge:
        return self._gauge("foreign_flows", "Flows of strangers on the integration bridge at the last look.")

    @repaired_flows.default
    def _repaired_flows(self) -> Gauge:
        return self._gauge("repaired_flows", "Flows found gone, changed or of strangers since the start.")

    @repaired_routers.default
    def _repaired_routers(self) -> Gauge:
        return self._gauge("repaired_routers", "Routers found changed by others since the start.")

    @delegated_prefixes.default
    def _delegated_prefixes(self) -> Gauge:
        return self._gauge("delegated_prefixes", "Prefixes that routers of this host were given, or wait for.", "state")

    @repaired_services.default
    def _repaired_services(self) -> Gauge:
        return self._gauge("repaired_services", "How often the place of services was found changed since the start.")

    @dns_questions.default
    def _dns_questions(self) -> Counter:
        return self._counter("dns_questions", "Questions to networks' DNS servers, by what became of them.", "outcome")

    @metadata_answers.default
    def _metadata_answers(self) -> Counter:
        return self._counter("metadata_answers", "Answers to requests for metadata.", "status")

    @unlogged_packets.default
    def _unlogged_packets(self) -> Gauge:
        return self._gauge("unlogged_packets", "Packets that logs asked for and that were too many, since the start.")

    @dhcp_messages.default
    def _dhcp_messages(self) -> Counter:
        return self._counter("dhcp_messages", "DHCP messages received.", "kind", "outcome")

    @token_wait_seconds.default
    def _token_wait_seconds(self) -> Histogram:
        return self._histogram("token_wait_seconds", "How long questions to Keystone waited.", _TOKEN_BUCKETS)

    @token_seconds.default
    def _token_seconds(self) -> Histogram:
        return self._histogram("token_seconds", "How long Keystone took to answer a question.", _TOKEN_BUCKETS)

    @info.default
    def _info(self) -> Gauge:
        return self._gauge("info", "Always 1; the version and role are its labels.", "version", "role")

    def _counter(self, name: str, sentence: str, *labels: str) -> Counter:
        return Counter(f"quantumd_{name}", sentence, labels, registry=self.registry)

    def _gauge(self, name: str, sentence: str, *labels: str) -> Gauge:
        return Gauge(f"quantumd_{name}", sentence, labels, registry=self.registry)

    def _histogram(self, name: str, sentence: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"quantumd_{name}", sentence, labels, buckets=buckets, registry=self.registry)

    def watch(self, turns: Any) -> None:
        """Show a StallWatchdog's ``Turns`` at the moment of each scrape."""
        self.stall_longest_seconds.set_function(lambda: turns.longest_seconds)
        self.start_seconds.set_function(lambda: turns.seconds_to_first_turn)

    def text(self) -> bytes:
        """Return everything in the text format, of type ``CONTENT_TYPE``."""
        return generate_latest(self.registry)
