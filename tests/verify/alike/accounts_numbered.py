"""Identifiers by coopy, by name, and by a caller."""

import uuid

import coopy


class Bank:
    def __init__(self):
        self.accounts = {}

    def open(self, owner, number):
        self.accounts[owner] = coopy.random.uuid4(), uuid.uuid5(uuid.NAMESPACE_DNS, owner), number, coopy.random.token_hex()


DOMAIN = Bank
CALLS = (("open", "ann", uuid.uuid4()), ("open", "bob", uuid.uuid1()))
