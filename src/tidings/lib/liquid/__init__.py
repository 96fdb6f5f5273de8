"""Text with gaps in it, written by people we do not know: Liquid, cut down until nothing in it can do harm.

A template can print, ask, choose and count over what it is handed, and nothing else: no other template, no code, no
attribute of an object, no clock. What it may cost is known before it runs (`cost.py`), so that no text, whatever it
says, takes longer than a few milliseconds or more than a few megabytes. The syntax is Shopify's
(https://shopify.github.io/liquid/), read by python-liquid.
"""

from __future__ import annotations

from tidings.lib.liquid.cost import MOST_WORK
from tidings.lib.liquid.fault import LiquidFault
from tidings.lib.liquid.filters import FILTERS
from tidings.lib.liquid.reader import Reader
from tidings.lib.liquid.scan import LONGEST_SOURCE, TAGS
from tidings.lib.liquid.template import Template, parse

__all__ = ["FILTERS", "LONGEST_SOURCE", "MOST_WORK", "TAGS", "LiquidFault", "Reader", "Template", "parse"]
