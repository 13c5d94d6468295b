"""A list that looks like an attribute of the object, but is one of its class: no snapshot has it."""


class Article:
    tags = []
    shown = ()

    def tag(self, name):
        self.tags.append(name)

    def publish(self):
        self.shown = tuple(self.tags)


DOMAIN = Article
CALLS = (("tag", "red"), ("publish",), ("tag", "blue"), ("publish",))
EXPECTED = 4, "publish", r"shown"
