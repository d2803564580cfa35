"""Rows and journal: SQLAlchemy Core on the store's own threads, behind quantumd.interfaces.IStore."""
