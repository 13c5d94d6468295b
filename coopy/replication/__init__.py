"""A primary ships its journal to replicas, which write it to their own, execute it and answer queries.

wire        messages and state tables, no sockets
auth        the password, proven in both directions
handshake   what a primary answers to what a replica has
shipping    the primary's side of a session, taking the replica's: bytes in, bytes out, no sockets, no threads
follower    what a session means for what is here
place       where a primary may be, and what it takes to be let in there
certificate TLS, and what is said where a certificate does not count
unix        Unix sockets
transport   connections; no other file than these four knows sockets and TLS
primary     who listens, and a thread for each replica
replica     the thread of who follows
"""
