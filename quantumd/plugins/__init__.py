"""Where Twisted looks for L2 drivers of other distributions: their ``quantumd/plugins/*.py``."""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
