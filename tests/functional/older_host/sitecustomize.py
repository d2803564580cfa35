"""Makes a process of quantumd one of a version before: it says less of itself, and does not know what came since.

Python imports this by itself where the directory is on the path.
"""

from attrs import evolve

from quantumd import version
from quantumd.bus import codec
from quantumd.converge.client import _CALL_TIMEOUT_SECONDS, API_ADDRESS, RecordsClient
from quantumd.l2.drivers.ovs.converger import OvsConverger
from quantumd.model.counters import CountersReply, CountersRequest
from quantumd.model.dns_records import DnsNameRecord, DnsZoneRecord
from quantumd.model.instance_records import InstanceRecord
from quantumd.model.logging_records import PortLogsRecord
from quantumd.model.messages import FetchReply, FetchRequest, HostReply, HostReport
from quantumd.model.qos_records import QosPolicyRecord
from quantumd.model.records import NetworkRecord, PeerRecord, PortRecord, RemotePortRecord
from quantumd.model.security_records import AddressSetRecord, SecurityGroupRecord
from quantumd.model.tap_mirror_records import TapMirrorRecord
from quantumd.model.tap_records import TapRecord

version.VERSION = "0.0.9"
codec._version_of = lambda message: 1
for kind, number in tuple(codec._MESSAGES):
    if number > 1 or kind in {unknown.message_kind for unknown in (HostReply, CountersRequest, CountersReply)}:
        del codec._MESSAGES[kind, number]
for record in (
    SecurityGroupRecord, AddressSetRecord, PeerRecord, RemotePortRecord, QosPolicyRecord, PortLogsRecord, TapRecord,
    TapMirrorRecord, InstanceRecord, DnsZoneRecord, DnsNameRecord,
):  # fmt: skip
    del codec._RECORDS[record.kind]
codec._RECORDS[PortRecord.kind] = codec._object(
    PortRecord,
    lacking=("port_security", "security_groups", "allowed_address_pairs", "qos_policy", "parent_id", "segmentation_id"),
)
codec._RECORDS[NetworkRecord.kind] = codec._object(NetworkRecord, lacking=("qos_policy",))
describe = OvsConverger.describe


def _describe(self: OvsConverger) -> HostReport:
    about = describe(self)
    details = about.vif_details.replace('"port_filter": true', '"port_filter": false')
    return evolve(about, quantumd_version=version.VERSION, vif_details=details, record_kinds=())


OvsConverger.describe = _describe  # type: ignore[method-assign]


async def _fetch(self: RecordsClient, request: FetchRequest) -> None:
    reply = await self._bus.call(API_ADDRESS, request, _CALL_TIMEOUT_SECONDS)
    assert isinstance(reply, FetchReply)
    if changed := self._records.replace(request.buckets, reply.records, reply.position):
        self._takes.records_changed(changed, False)


RecordsClient._fetch = _fetch  # type: ignore[method-assign]
