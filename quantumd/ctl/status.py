"""``quantumctl status``: what the running quantumd says of itself."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from attrs import frozen

from quantumd.api.identity import endpoint_parts
from quantumd.config import Settings
from quantumd.errors import EdgeUnavailable

_LIMIT_SECONDS = 5.0
_LOOPBACK_OF = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
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
    kind, plain, named = endpoint_parts(settings.api.listen)
    port = named.get("port") or "".join(plain[:1])
    interface = named.get("interface", "")
    host = _LOOPBACK_OF.get(interface, interface)
    scheme = "https" if kind == "ssl" else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port if port.isdecimal() else 9696}"


def certificate_of(settings: Settings) -> str:
    """Return the file of the certificate that an https API shows, '' where there is none."""
    kind, _, named = endpoint_parts(settings.api.listen)
    return (named.get("certKey") or named.get("privateKey", "")) if kind == "ssl" else ""


def show_status(url: str, certificate: str = "") -> int:
    """Print the state of the quantumd at ``url``; return 0 when it is ready, 1 when it is not.

    :param certificate: the file of the certificate that an https API has to show; '' is any that the system trusts.
    :raises EdgeUnavailable: nobody answers there.
    """
    trust = _trust(certificate)
    ready_status, ready = _ask(f"{url}/readyz", trust)
    metrics_status, metrics = _ask(f"{url}/metrics", trust)
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


def _trust(certificate: str) -> ssl.SSLContext:
    if not certificate:
        return ssl.create_default_context()
    try:
        trust = ssl.create_default_context(cafile=certificate)
    except (OSError, ssl.SSLError) as error:
        raise EdgeUnavailable(f"{certificate}: {error.strerror or error}") from None
    # It is this very certificate that is expected, whoever has signed it and whatever name it is for.
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trust.check_hostname = False
    return trust


def _ask(url: str, trust: ssl.SSLContext) -> tuple[int, str]:
    # No proxy: the API is on this machine or near, and proxies of the environment are for the world.
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trust))
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
