"""Run by the Horizon environment's Python: Horizon on the loopback, with its static files.

The line of JSON on standard input says ``keystone``, the root of version 3 of Keystone's API. One line of JSON on
standard output says ``url`` as soon as requests are answered. It ends when standard input closes.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading

_IDLE_SECONDS = 0.01
"""Horizon asks for quotas in threads that it waits for, and one that has nothing to do looks up only after this long:
a second, if nobody says otherwise, on nearly every page."""


def main() -> None:
    """Serve until standard input closes."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bed.horizon_settings"
    os.environ["HORIZON_KEYSTONE"] = json.loads(sys.stdin.readline())["keystone"]
    from django.contrib.staticfiles.handlers import StaticFilesHandler  # type: ignore[import-not-found]
    from django.core.servers.basehttp import (  # type: ignore[import-not-found]
        ThreadedWSGIServer,
        WSGIRequestHandler,
    )
    from django.core.wsgi import get_wsgi_application  # type: ignore[import-not-found]
    from futurist._thread import ThreadWorker  # type: ignore[import-not-found,unused-ignore]

    ThreadWorker.MAX_IDLE_FOR = _IDLE_SECONDS
    logging.basicConfig(level=logging.INFO)
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
