"""NDP proxies: addresses inside that routers answer for outside; not announced before packets obey them."""
