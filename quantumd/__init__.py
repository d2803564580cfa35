"""OpenStack Networking as one Twisted process."""

__version__ = "0.1.0"
