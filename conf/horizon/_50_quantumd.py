"""What Horizon is told beside quantumd: for openstack_dashboard/local/local_settings.d, where Horizon executes it."""

from django.urls import reverse

# After the login, where the default is the overview: only a cloud with Nova has that, and without it the login ends
# with "not authorized".
HORIZON_CONFIG["user_home"] = lambda user: reverse("horizon:project:networks:index")

# What forms of admins offer.
OPENSTACK_NEUTRON_NETWORK["supported_provider_types"] = ["local", "flat", "vlan", "vxlan", "gre", "geneve"]
