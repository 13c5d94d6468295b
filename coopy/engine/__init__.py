"""The only room where state changes.

The story of a call, by file:

    engine         from the door to the answer: encode, append, execute, return; who may enter, and what an interrupted call leaves behind
    commit         "sync": callers share one batch, whoever leads writes, syncs and executes it for all
    execute        the one function that runs domain code, live and in replay
    results        what may be handed out of what it gives
    gate           whether the next may enter, in one word
    common         the same story for the most common call and query, as lines of a compiled function
    tools          the clock and the random numbers that a domain object is given
    beside         `@unlocked` actions, which run on their own threads
    uninterrupted  work that a signal must not cut in two

Another day:

    opened         a directory becomes a running system, or an error that says what is wrong with it
    opening        what that does with files
    restore        snapshot + replay gives the same state
    replaying      the replay of one segment
    archive        what is kept: manifest, snapshots, segments
    system         a running system as a whole, and what can be asked of it
    background     what happens by the clock
    prune          what is no longer needed
    check, mend    what an operator looks at, and decides
"""
