"""Options -> rooms -> proxy and Control: the only folder that knows every room.

`options` is what init_system takes; `opening` leads from a class and a directory to a proxy; `peers` adds a primary or a replica; `systems`
says which system is behind a proxy; `operations` are what can be done with it beside calling it.
"""

from coopy.wiring.opening import open_proxy
from coopy.wiring.operations import Control, control
from coopy.wiring.options import Options
from coopy.wiring.systems import engine_of, fix_wall, is_proxy

__all__ = ["Control", "Options", "control", "engine_of", "fix_wall", "is_proxy", "open_proxy"]
