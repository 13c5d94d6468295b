COMMANDS = {}


def command(name=None):
    def register(fn):
        COMMANDS[name or fn.__name__] = fn
        return fn
    return register
