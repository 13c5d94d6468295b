"""A primary ships its journal to replicas, which write it to their own, execute it and answer queries.

wire        messages and state tables, no sockets
auth        the password, proven in both directions
handshake   what a primary answers to what a replica has
shipping    the primary's side of a session, taking the replica's: bytes in, bytes out, no sockets, no threads
follower    what a session means for what is here
transport   the only file that knows sockets and TLS
primary     who listens, and a thread for each replica
replica     the thread of who follows
"""
