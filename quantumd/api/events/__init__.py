"""The journal as a stream of events for authorised callers (Server-Sent Events)."""
