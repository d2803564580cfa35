"""A listener of oslo.messaging's own, run by the environment that Ceilometer is in: prints what it gets, as lines.

``listener.py URL EXCHANGE SECONDS DURABLE COUNT``: until COUNT have come, or nothing for SECONDS. Each line is a JSON
object: the notification, the event that Ceilometer makes of it, and the samples that its meters take. The password is
read from the first line of its input.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

import ceilometer
import oslo_messaging
from ceilometer import service
from ceilometer.event import converter
from ceilometer.meter import notifications as meters
from oslo_config import cfg
from stevedore import extension


class Endpoint:
    """Takes notifications of priority INFO."""

    def __init__(self, out: TextIO, events: Any, samples: Any) -> None:
        self._out = out
        self.count = 0
        self.last = time.monotonic()
        self._events = events
        self._samples = samples
        self._lock = threading.Lock()

    def info(self, ctxt: Any, publisher_id: str, event_type: str, payload: Any, metadata: Any) -> Any:
        """One notification."""
        said = {
            "ctxt": ctxt, "publisher_id": publisher_id, "event_type": event_type, "payload": payload,
            "metadata": metadata,
        }  # fmt: skip
        event = self._events.to_event("info", said)
        traits = {trait.name: str(trait.value) for trait in event.traits}
        samples = [
            {"name": each.name, "volume": each.volume, "type": each.type, "unit": each.unit,
             "resource_id": each.resource_id, "project_id": each.project_id}
            for each in self._samples.build_sample(said)
        ]  # fmt: skip
        said["ctxt"] = ctxt if isinstance(ctxt, dict) else ctxt.to_dict()
        with self._lock:
            self._out.write(json.dumps({**said, "traits": traits, "samples": samples}) + "\n")
            self._out.flush()
            self.count += 1
            self.last = time.monotonic()
        return oslo_messaging.NotificationResult.HANDLED


def main(url: str, exchange: str, seconds: str, durable: str, count: str, meters_file: str, own: str = "") -> None:
    """Listen."""
    # What Ceilometer logs goes elsewhere than our lines.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    password = sys.stdin.readline().rstrip("\n")
    conf = service.prepare_service(argv=[], config_files=[], conf=cfg.ConfigOpts())
    folders = [meters_file] + [str(Path(ceilometer.__file__).parent / "data" / "meters.d")] * (own == "own")
    conf.set_override("meter_definitions_dirs", folders, group="meter")
    events = converter.setup_events(conf, extension.ExtensionManager("ceilometer.event.trait_plugin"))
    samples = meters.ProcessMeterNotifications(conf, lambda data: None)
    endpoint = Endpoint(out, events, samples)
    _scheme, _, rest = url.partition("://")
    user, _, place = rest.partition("@")
    transport = oslo_messaging.get_notification_transport(conf, f"rabbit://{user}:{quote(password)}@{place}")
    conf.set_override("amqp_durable_queues", durable == "durable", group="oslo_messaging_rabbit")
    target = oslo_messaging.Target(exchange=exchange, topic="notifications")
    listener = oslo_messaging.get_notification_listener(transport, [target], [endpoint], executor="threading")
    # One thread, so that what is printed is in the order of the queue.
    conf.set_override("executor_thread_pool_size", 1)
    listener.start()
    while endpoint.count < int(count) and time.monotonic() - endpoint.last < float(seconds):
        time.sleep(0.05)
    listener.stop()
    listener.wait()


main(*sys.argv[1:])
