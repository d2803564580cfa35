"""Makes a process of quantumd one of a version before: it says less of itself, and does not know what came since.

Python imports this by itself where the directory is on the path.
"""

from quantumd import version
from quantumd.bus import codec
from quantumd.model.counters import CountersReply, CountersRequest
from quantumd.model.records import HostReply, HostReport

version.VERSION = "0.0.9"
codec.VERSIONS[HostReport.message_kind] = 1
codec._FIELDS[HostReport] = ("host", "role", "quantumd_version", "vif_type", "vif_details")
for unknown in (HostReply, CountersRequest, CountersReply):
    del codec._MESSAGES[unknown.message_kind, 1]
