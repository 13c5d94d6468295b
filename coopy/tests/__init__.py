"""The original's place for what helps to test a domain."""
