HOOKS = {}


def hook(name):
    def register(fn):
        HOOKS.setdefault(name, []).append(fn)
        return fn
    return register
