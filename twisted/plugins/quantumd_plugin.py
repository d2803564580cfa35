"""Names quantumd's services to ``twistd``. A role is announced here when it exists, and not before."""

from twisted.application.service import ServiceMaker

quantumd = ServiceMaker(
    "quantumd",
    "quantumd.start.appliance",
    "OpenStack Networking in one process: API, switch and address service.",
    "quantumd",
)

quantumd_api = ServiceMaker(
    "quantumd API", "quantumd.start.api", "OpenStack Networking: its API, for hosts at the same broker.", "quantumd-api"
)

quantumd_l2 = ServiceMaker(
    "quantumd L2", "quantumd.start.l2", "OpenStack Networking: what carries the ports of this host.", "quantumd-l2"
)

quantumd_dhcp = ServiceMaker(
    "quantumd DHCP", "quantumd.start.dhcp", "OpenStack Networking: answers DHCP on this host.", "quantumd-dhcp"
)

quantumd_l3 = ServiceMaker(
    "quantumd L3", "quantumd.start.l3", "OpenStack Networking: carries routers (tried out).", "quantumd-l3"
)
