"""The L3 role: routers, NAT and floating IPs. It does not exist yet, and is announced nowhere before it does."""
