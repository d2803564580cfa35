"""Tells Nova what happens to the ports of its servers (os-server-external-events), from the journal."""
