"""``quantumctl status``: what the running quantumd says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from attrs import frozen

from quantumd.config import Settings
from quantumd.errors import EdgeUnavailable

_LIMIT_SECONDS = 5.0
_SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@frozen
class Sample:
    """One line of ``/metrics``."""

    name: str
    labels: Mapping[str, str]
    value: float


def parse_samples(text: str) -> tuple[Sample, ...]:
    """Read Prometheus' text format; comments and what cannot be read are left out."""
    found = (_SAMPLE.match(line) for line in text.splitlines())
    return tuple(
        Sample(match["name"], dict(_LABEL.findall(match["labels"] or "")), float(match["value"]))
        for match in found
        if match
    )


def url_of(settings: Settings) -> str:
    """Return where the API is, as far as ``api.listen`` tells; a passed socket has the standard port."""
    listen = settings.api.listen
    port = re.match(r"tcp:(?:port=)?(\d+)", listen)
    interface = re.search(r"interface=([^:]+)", listen)
    host = interface[1] if interface and interface[1] != "0.0.0.0" else "127.0.0.1"
    return f"http://{host}:{port[1] if port else 9696}"


def show_status(url: str) -> int:
    """Print the state of the quantumd at ``url``; return 0 when it is ready, 1 when it is not.

    :raises EdgeUnavailable: nobody answers there.
    """
    ready_status, ready = _ask(f"{url}/readyz")
    metrics_status, metrics = _ask(f"{url}/metrics")
    samples = parse_samples(metrics) if metrics_status == 200 else ()
    for line in report(url, ready_status == 200, _document(ready), samples):
        print(line)
    return 0 if ready_status == 200 else 1


def report(url: str, is_ready: bool, ready: Mapping[str, Any], samples: Iterable[Sample]) -> Iterable[str]:
    """Yield the lines to print."""
    samples = tuple(samples)
    yield f"{url}: {'ready' if is_ready else 'not ready'}"
    for what in ready.get("waiting_for", ()):
        yield f"  waiting for {what}"
    yield from _section("version and role", samples, "quantumd_info", lambda s: " ".join(s.labels.values()))
    yield from _section("ports", samples, "quantumd_ports", lambda s: f"{s.labels.get('status', '')} {s.value:g}")
    yield from _section("lag", samples, "quantumd_lag_seconds", lambda s: f"{s.labels.get('role', '')} {s.value:g} s")
    yield from _section(
        "journal not read", samples, "quantumd_cursor_lag", lambda s: f"{s.labels.get('consumer', '')} {s.value:g}"
    )
    total = sum(sample.value for sample in samples if sample.name == "quantumd_requests_total")
    stalls = sum(sample.value for sample in samples if sample.name == "quantumd_reactor_stalls_total")
    longest = max((s.value for s in samples if s.name == "quantumd_reactor_longest_turn_seconds"), default=0.0)
    yield f"requests: {total:g}"
    yield f"reactor: {stalls:g} stalls, longest turn {longest * 1000:.1f} ms"


def _section(title: str, samples: tuple[Sample, ...], name: str, show: Any) -> Iterable[str]:
    shown = sorted(show(sample) for sample in samples if sample.name == name)
    if shown:
        yield f"{title}: {', '.join(shown)}"


def _ask(url: str) -> tuple[int, str]:
    # No proxy: the API is on this machine or near, and proxies of the environment are for the world.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(url, timeout=_LIMIT_SECONDS) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise EdgeUnavailable(f"no answer from {url}: {getattr(error, 'reason', error)}") from None


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
