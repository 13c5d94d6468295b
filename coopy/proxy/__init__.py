"""Python's surface (calls, attributes, operators) of a domain class, leading to the engine.

surface     which name of the proxy is an action, which a query, and what the rest does
function    a method of it, as a generated function
"""

from coopy.proxy.surface import INJECTED, check_class, make_proxy, member_of

__all__ = ["INJECTED", "check_class", "make_proxy", "member_of"]
