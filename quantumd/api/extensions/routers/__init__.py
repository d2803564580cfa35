"""Routers; not announced before packets obey them."""
