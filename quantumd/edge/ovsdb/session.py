"""A python-ovs JSON-RPC session that parses at C speed and never reads more at once than it is allowed."""

from __future__ import annotations

import array
import errno
import fcntl
import termios
from collections import deque

import orjson
import ovs.jsonrpc
import ovs.reconnect
import ovs.timeval
from twisted.logger import Logger

from quantumd.edge.ovsdb.errors import OvsdbGarbled
from quantumd.edge.ovsdb.framing import MessageStream

_PIECE_BYTES = 64 * 1024
# OVS's own setters refuse less than 1,000 ms, but traffic must be back 1.5 s after the switch is.
_BACKOFF_MS = (100, 300)


class SwiftSession(ovs.jsonrpc.Session):  # type: ignore[misc]
    """``ovs.jsonrpc.Session`` with another way of receiving.

    The original parses one character at a time in Python, forgets half a UTF-8 character between two reads, and reads
    until nothing is left, however much that is. Everything else (connecting, back-off, sending) is the original's.
    """

    _log = Logger()

    def __init__(self, remote: str) -> None:
        now = ovs.timeval.msec()
        reconnect = ovs.reconnect.Reconnect(now)
        super().__init__(reconnect, None, [remote])
        self.pick_remote()
        reconnect.enable(now)
        reconnect.set_probe_interval(0)
        reconnect.min_backoff, reconnect.max_backoff = _BACKOFF_MS
        self.allowance_bytes: int | None = None
        self._stream = MessageStream()
        self._whole: deque[bytes] = deque()
        self._of: ovs.jsonrpc.Connection | None = None

    def backlog_bytes(self) -> int:
        """How much would be worked on now: what the kernel holds, and what was read and not yet worked on."""
        if self.rpc is None or self.rpc.get_status() != 0:
            return 0
        held = self._stream.half_read_bytes + sum(map(len, self._whole)) if self._of is self.rpc else 0
        return held + _readable_bytes(self.rpc.stream.socket.fileno())

    def recv(self) -> ovs.jsonrpc.Message | None:
        """Return the next message that is here, or None; echo requests are answered on the way."""
        self._notice_connection()
        while self.rpc is not None and self.rpc.get_status() == 0:
            if self._whole:
                message = self._parse(self._whole.popleft())
                if message is not None:
                    return message
            elif not self._read():
                break
        return None

    def recv_wait(self, poller: object) -> None:
        """Ask to be called when something can be received."""
        if self._whole and self._of is self.rpc:
            poller.immediate_wake()  # type: ignore[attr-defined]
        else:
            super().recv_wait(poller)

    def _notice_connection(self) -> None:
        if self._of is not self.rpc:
            self._of = self.rpc
            self._stream = MessageStream()
            self._whole.clear()

    def _read(self) -> bool:
        """Read a piece of what is there, within the allowance; False when there is nothing to go on with."""
        limit = _PIECE_BYTES if self.allowance_bytes is None else min(_PIECE_BYTES, self.allowance_bytes)
        if limit <= 0:
            return False
        error, data = self.rpc.stream.recv(limit)
        now = ovs.timeval.msec()
        self.reconnect.receive_attempted(now)
        if error == errno.EAGAIN:
            return False
        if error or not data:
            self.rpc.error(error or ovs.jsonrpc.EOF)
            return False
        self.reconnect.activity(now)
        if self.allowance_bytes is not None:
            self.allowance_bytes -= len(data)
        return self._cut(data)

    def _cut(self, data: bytes) -> bool:
        try:
            self._whole.extend(self._stream.feed(data))
        except OvsdbGarbled as error:
            self._give_up(error.reason)
            return False
        return True

    def _parse(self, text: bytes) -> ovs.jsonrpc.Message | None:
        try:
            message = ovs.jsonrpc.Message.from_json(orjson.loads(text))
        except orjson.JSONDecodeError as error:
            message = str(error)
        if not isinstance(message, ovs.jsonrpc.Message):
            self._give_up(message)
            return None
        if message.type == ovs.jsonrpc.Message.T_REQUEST and message.method == "echo":
            self.send(ovs.jsonrpc.Message.create_reply(message.params, message.id))
            return None
        return message

    def _give_up(self, reason: str) -> None:
        self._log.error("OVSDB connection given up: {reason}", reason=reason)
        self.rpc.error(errno.EPROTO)


def _readable_bytes(descriptor: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, count)
    return count[0]
