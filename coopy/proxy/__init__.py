"""Python's surface (calls, attributes, operators) of a domain class, leading to the engine.

names       what the names of a proxy mean
check       which classes cannot be domains
surface     which name of the proxy is an action, which a query, and what the rest does
function    a method of it, as a generated function
awaited     the same surface as coroutine functions
"""

from coopy.proxy.awaited import awaited_methods, awaited_specials
from coopy.proxy.check import check_class
from coopy.proxy.names import SYSTEM_NAMES, member_of
from coopy.proxy.surface import make_proxy

__all__ = ["SYSTEM_NAMES", "awaited_methods", "awaited_specials", "check_class", "make_proxy", "member_of"]
