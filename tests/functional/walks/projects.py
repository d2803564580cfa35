"""What belongs to a project, made for it by an administrator: ``walker`` is the project, ``admin`` the caller's own."""

from __future__ import annotations

from tests.bed.client_walk import Step, Walk

PROJECTS: Walk = (
    Step("network create --project walker wire", {"project_id": "{walker}"}, keeps="wire"),
    Step("network list --project walker", [{"ID": "{wire}"}]),
    Step(
        "subnet create --project walker --network {wire} --subnet-range 10.0.0.0/24 room",
        {"project_id": "{walker}"},
    ),
    Step("subnet list --project walker", [{"Name": "room"}]),
    Step("port create --project walker --network {wire} plug", {"project_id": "{walker}"}, keeps="plug"),
    Step("port list --project walker --name plug", [{"ID": "{plug}"}]),
    Step("ip availability list --project walker", [{"Network ID": "{wire}", "Used IPs": 2}]),
    Step("security group list --project walker", [{"Name": "default", "Project": "{walker}"}]),
    Step("security group create --project walker doors", {"project_id": "{walker}"}, keeps="doors"),
    Step("security group rule create --project walker {doors}", {"project_id": "{walker}"}),
    Step("security group rule list --project walker --ingress", [{}, {}, {"Security Group": "{doors}"}]),
    Step("network trunk create --project walker --parent-port {plug} train", {"project_id": "{walker}"}),
    Step("address scope create --project walker world", {"project_id": "{walker}"}),
    Step("address scope list --project walker", [{"Name": "world", "Project": "{walker}"}]),
    Step("subnet pool create --project walker --pool-prefix 10.0.0.0/8 pool", {"project_id": "{walker}"}),
    Step("subnet pool list --project walker", [{"Name": "pool"}]),
    Step("address group create --project walker homes", {"project_id": "{walker}"}),
    Step("address group list --project walker", [{"Name": "homes", "Project": "{walker}"}]),
    Step("network qos policy create --project walker gold", {"project_id": "{walker}"}),
    Step("network qos policy list --project walker", [{"Name": "gold", "Project": "{walker}"}]),
    Step(
        "network segment range create --network-type vlan --physical-network physnet1 --minimum 300 --maximum 310"
        " --private --project walker own",
        {"shared": False, "project_id": "{walker}"},
    ),
    Step("network trunk delete train"),
    Step("port delete plug"),
    Step("network segment range delete own"),
    Step("network qos policy delete gold"),
    Step("address group delete homes"),
    Step("subnet pool delete pool"),
    Step("address scope delete world"),
    Step("security group delete doors"),
    Step("network delete wire"),
)

GRANTS: Walk = (
    Step("network create lent", keeps="lent"),
    Step(
        "network rbac create --type network --action access_as_shared --target-project walker lent",
        {"target_project_id": "{walker}", "project_id": "{admin}"},
        keeps="grant",
    ),
    Step("network rbac list --target-project walker", [{"ID": "{grant}", "Object ID": "{lent}"}]),
    Step("network show lent", {"shared": False}),
    Step("network rbac set --target-project admin {grant}"),
    Step("network rbac show {grant}", {"target_project_id": "{admin}"}),
    Step("network show lent", {"shared": True}),
    Step("network rbac delete {grant}"),
    Step("network delete lent"),
)

QUOTAS: Walk = (
    Step(
        "quota set --networks 7 --subnets 8 --ports 9 --secgroups 5 --secgroup-rules 50 --rbac-policies 3"
        " --subnetpools 2 walker"
    ),
    Step("quota list --network", [{"Project ID": "{walker}", "Networks": 7, "Ports": 9, "Security Groups": 5}]),
    Step("network create --project walker counted", keeps="counted"),
    Step("quota set --networks 0 --check-limit walker", refused="must be greater than or equal to already used 1"),
    Step("quota set --networks 1 --check-limit walker"),
    Step("network create --project walker beyond", refused="Quota exceeded for resources: ['network']."),
    Step("quota delete --network walker"),
    Step("quota list --network", []),
    Step("network create --project walker beyond", {"name": "beyond"}),
    Step("network delete counted beyond"),
)

TOPOLOGY: Walk = (
    Step(
        "network auto allocated topology create --check-resources",
        refused="Deployment error: No default router:external network.",
    ),
    Step("network create --external --default out"),
    Step(
        "network auto allocated topology create --check-resources",
        refused="Deployment error: No default subnetpools defined.",
    ),
    Step("subnet pool create --pool-prefix 10.0.0.0/8 --share --default pool"),
    # The client looks for another attribute than the one in which the answer is.
    Step("network auto allocated topology create --check-resources", {"dry_run": None}),
    Step("network auto allocated topology create --check-resources --project {walker}", {"dry_run": None}),
    Step("subnet create --network out --subnet-range 203.0.113.0/24 outer"),
    Step("network auto allocated topology create --or-show", keeps="own"),
    Step("network auto allocated topology create --or-show", {"id": "{own}"}),
    Step("router list", [{"Name": "auto_allocated_router", "Status": "ACTIVE"}]),
    Step("subnet list --network {own}", [{"Name": "auto_allocated_subnet_v4"}]),
    Step("network auto allocated topology delete"),
    Step("router list", []),
    Step("network delete out"),
    Step("subnet pool delete pool"),
)
