"""What ports have beside their row and addresses, bindings, trunks and local IPs."""

from __future__ import annotations
