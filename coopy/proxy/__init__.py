"""Python's surface (calls, attributes, operators) of a domain class, leading to the engine.

names       what the names of a proxy mean
check       which classes cannot be domains
surface     which name of the proxy is an action, which a query, and what the rest does
function    a method of it, as a generated function
"""

from coopy.proxy.check import check_class
from coopy.proxy.names import member_of
from coopy.proxy.surface import make_proxy

__all__ = ["check_class", "make_proxy", "member_of"]
