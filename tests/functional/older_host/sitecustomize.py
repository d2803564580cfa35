"""Makes a process of quantumd one of a version before: it says less of itself, and does not know what came since.

Python imports this by itself where the directory is on the path.
"""

from quantumd import version
from quantumd.bus import codec
from quantumd.converge.client import _CALL_TIMEOUT_SECONDS, API_ADDRESS, RecordsClient
from quantumd.model.counters import CountersReply, CountersRequest
from quantumd.model.records import FetchReply, FetchRequest, HostReply

version.VERSION = "0.0.9"
codec._version_of = lambda message: 1
for kind, number in tuple(codec._MESSAGES):
    if number > 1 or kind in {unknown.message_kind for unknown in (HostReply, CountersRequest, CountersReply)}:
        del codec._MESSAGES[kind, number]


async def _fetch(self: RecordsClient, request: FetchRequest) -> None:
    reply = await self._bus.call(API_ADDRESS, request, _CALL_TIMEOUT_SECONDS)
    assert isinstance(reply, FetchReply)
    if changed := self._records.replace(request.buckets, reply.records, reply.position):
        self._takes.records_changed(changed, False)


RecordsClient._fetch = _fetch  # type: ignore[method-assign]
