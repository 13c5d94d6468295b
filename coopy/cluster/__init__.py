"""Nodes of a cluster: the shared journal is a stream of NATS JetStream, which every node publishes to and takes from in its order."""
