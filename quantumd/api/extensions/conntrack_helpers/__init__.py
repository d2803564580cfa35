"""Conntrack helpers of routers."""
