"""A web service whose state is a plain object: every vote is on stable storage before it is answered, and all that wait share a sync.

    pip install starlette uvicorn
    python -m examples.service.service [DIRECTORY] [PORT]      serve a poll that is kept in DIRECTORY ("poll") on PORT (8000)

    curl -X PUT  http://127.0.0.1:8000/choices/tea             offer a choice
    curl -X POST http://127.0.0.1:8000/choices/tea/votes       vote for it
    curl         http://127.0.0.1:8000/choices                 look at the votes

A client that hangs up in mid-request has its handler cancelled: the vote counts as a whole, or was never begun.
"""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypedDict

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from coopy import aio
from coopy.aio import call
from examples.service.poll import Poll

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


class State(TypedDict):
    """What handlers find in `request.state`."""

    poll: aio.Proxy[Poll]


async def offer(request: Request) -> Response:
    """Offer a choice. 409 if it is there already."""
    try:
        await call(request.state.poll, Poll.offer, request.path_params["choice"])
    except ValueError as error:
        return JSONResponse({"error": str(error)}, status_code=409)
    return Response(status_code=201)


async def vote(request: Request) -> Response:
    """Count a vote. 404 if there is no such choice."""
    try:
        votes = await call(request.state.poll, Poll.vote, request.path_params["choice"])
    except KeyError:
        return Response(status_code=404)
    return JSONResponse({"votes": votes})


async def results(request: Request) -> Response:
    """All votes: a query, answered without a thread."""
    return JSONResponse(await call(request.state.poll, Poll.results))


def make_app(directory: str) -> Starlette:
    """The service of one directory, which is open as long as it runs."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[State]:
        async with aio.open(Poll, directory, snapshot_time=3600) as poll:
            yield {"poll": poll}

    routes = [
        Route("/choices/{choice}", offer, methods=["PUT"]),
        Route("/choices/{choice}/votes", vote, methods=["POST"]),
        Route("/choices", results),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main(directory: str = "poll", port: str = "8000") -> None:
    """Serve until Ctrl-C."""
    uvicorn.run(make_app(directory), port=int(port), access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
