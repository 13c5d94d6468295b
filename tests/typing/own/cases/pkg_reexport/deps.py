from coopy import Clock as Clock, Replica as Replica, System as System, init_system as init_system
from coopy import init_system as launch
from coopy.decorators import readonly as query

__all__ = ["Clock", "Replica", "System", "init_system", "launch", "query"]
