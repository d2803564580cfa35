"""Port forwardings: ports of floating IPs that lead to ports inside; not announced before packets obey them."""
