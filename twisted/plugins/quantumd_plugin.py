"""Names quantumd's services to ``twistd``. A role is announced here when it exists, and not before."""

from twisted.application.service import ServiceMaker

quantumd = ServiceMaker(
    "quantumd",
    "quantumd.start",
    "OpenStack Networking in one process: API, switch and address service.",
    "quantumd",
)
