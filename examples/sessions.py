"""Sessions of a web service: who is logged in, until when, and what the service remembers of them. A restart of the service logs nobody out.

    >>> from coopy import control, init_system
    >>> sessions = init_system(SessionStore(lifetime=1800), "data/sessions")
    >>> token = sessions.begin("ann")                   # into the cookie
    >>> sessions.put(token, "language", "pt")
    >>> sessions.user(token), sessions.get(token, "language")
    ('ann', 'pt')
    >>> sessions.user("guessed") is None
    True

The service is restarted; the cookie is still good:

    >>> control(sessions).close()
    >>> sessions = init_system(SessionStore(lifetime=1800), "data/sessions")
    >>> sessions.user(token)
    'ann'
    >>> sessions.end_all("ann")
    1
    >>> control(sessions).close()

Of coopy it shows three things. Tokens come from `coopy.random`: nobody outside can guess them, and a replay draws the same. A session ends by the clock, which is
the action's own time in an action, and the present in a query. And most requests only ask: `user` and `get` are `@readonly`, record nothing, and are about as fast
as a dictionary. Whoever can read the directory can be any user, as with every store of sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from coopy import clock, random, readonly

__all__ = ["NoSession", "Session", "SessionStore"]


class NoSession(Exception):  # noqa: N818 - what the service answers with a page to log in
    """There is no such session, or it has ended."""


@dataclass
class Session:
    """Whose it is, until when (seconds since 1970: local time is turned back every autumn), and what is remembered."""

    user: str
    ends: float
    values: dict[str, str] = field(default_factory=dict)


class SessionStore:
    """Sessions by token; each ends `lifetime` seconds after it was begun or renewed."""

    def __init__(self, lifetime: float = 1800) -> None:
        self.lifetime = lifetime
        self.sessions: dict[str, Session] = {}

    def begin(self, user: str) -> str:
        """Log a user in; gives the token."""
        token = random.token_hex(32)
        self.sessions[token] = Session(user, clock.time() + self.lifetime)
        return token

    def renew(self, token: str) -> None:
        """The user is still there. Once a minute is enough. Raises NoSession."""
        self._check(token)
        self.sessions[token].ends = clock.time() + self.lifetime

    def put(self, token: str, name: str, value: str) -> None:
        """Remember something of the user. Raises NoSession."""
        self._check(token)
        self.sessions[token].values[name] = value

    def end(self, token: str) -> None:
        """Log out, here."""
        self.sessions.pop(token, None)

    def end_all(self, user: str) -> int:
        """Log a user out everywhere, as after a new password; gives how many sessions that were."""
        return self._drop({token for token, session in self.sessions.items() if session.user == user})

    def sweep(self) -> int:
        """Forget what has ended; gives how many. Once an hour is enough: a session that has ended counts for nothing before that."""
        now = clock.time()
        return self._drop({token for token, session in self.sessions.items() if session.ends <= now})

    @readonly
    def user(self, token: str) -> str | None:
        """Whose session that is; None if there is none."""
        session = self.sessions.get(token)
        return session.user if session and session.ends > clock.time() else None

    @readonly
    def get(self, token: str, name: str) -> str | None:
        """What was remembered."""
        session = self.sessions.get(token)
        return session.values.get(name) if session and session.ends > clock.time() else None

    def _check(self, token: str) -> None:
        if token not in self.sessions or self.sessions[token].ends <= clock.time():
            raise NoSession("Log in again.")

    def _drop(self, tokens: set[str]) -> int:
        self.sessions = {token: session for token, session in self.sessions.items() if token not in tokens}
        return len(tokens)
