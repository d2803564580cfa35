"""What the l2 role of a host must know of logs: pure, from nouns to records."""

from __future__ import annotations

from quantumd.model.logging_records import PacketLog, PortLogsRecord


def port_logs_record(port_id: str, logs: tuple[PacketLog, ...], position: int) -> PortLogsRecord:
    """Compile what is to be logged of a port, as read at a position of the journal."""
    return PortLogsRecord(port_id, position, logs)
