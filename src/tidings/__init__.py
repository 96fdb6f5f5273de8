"""Tidings: the push-notification platform you run yourself."""

from importlib.metadata import version

__all__ = ["__version__"]
__version__ = version("tidings")
