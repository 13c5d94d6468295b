"""Logging is no part of the state, unless it is asked whether it is on."""

import logging

log = logging.getLogger("coopytest")


class Router:
    def __init__(self):
        self.routes = {}
        self.trace = []

    def add(self, name, target):
        self.routes[name] = target
        if log.isEnabledFor(logging.DEBUG):
            self.trace.append(name)


DOMAIN = Router
CALLS = (("add", "a", 1), ("take_snapshot",), ("add", "b", 2))
EXPECTED = 1, "add", r"trace"
