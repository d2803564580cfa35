"""OpenStack Networking as one Twisted process."""
