KINDS = {}


def unit(kind):
    def wrap(cls):
        cls.kind = kind
        KINDS[kind] = cls
        return cls
    return wrap
