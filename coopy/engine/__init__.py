"""The only room where state changes.

The story of a call, by file:

engine    from the door to the answer: encode, append, execute, return; who may enter, and what an interrupted call leaves behind
commit    "sync": callers share one batch, whoever leads writes, syncs and executes it for all
execute   the one function that runs domain code, live and in replay
restore   another day: snapshot + replay gives the same state
opening   a directory becomes a running system, or an error that says what is wrong with it
prune     what is no longer needed
"""
