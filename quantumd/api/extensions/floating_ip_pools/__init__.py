"""Where floating IPs can come from."""
