"""coopy for asyncio: the same systems, their calls awaited.

async with coopy.aio.open(Wiki, "data/wiki") as wiki:
    await wiki.create_page("Home", "Welcome")               # durable before it runs, as ever; a thousand tasks share a sync
    await call(wiki, Wiki.create_page, "Help", "Ask")        # the same, seen through by type checkers

mail        from any thread to the task that waits
hand        a thread of coopy's own
courier     who leads the tasks' batches
door        how a call gets to the engine and back
proxy       what a task holds
control     the system's operations, awaited
opening     `open`

Only this folder knows asyncio, and `import coopy` does not load it.
"""

from coopy.aio.control import Control, control, linearizable
from coopy.aio.opening import Opening, open  # noqa: A004 - `aio.open`
from coopy.aio.proxy import Proxy, call, read

__all__ = ["Control", "Opening", "Proxy", "call", "control", "linearizable", "open", "read"]
