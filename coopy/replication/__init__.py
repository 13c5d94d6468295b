"""A primary ships its journal to replicas, which write it to their own, execute it and answer queries.

wire        messages and state tables, no sockets
auth        the password, proven in both directions
handshake   what a primary answers to what a replica has
transport   the only file that knows sockets and TLS
primary     who listens, and a thread for each replica
replica     who follows
"""
