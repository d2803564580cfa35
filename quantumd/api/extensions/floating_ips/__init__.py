"""Floating IPs; not announced before packets obey them."""
