import secrets


def __getattr__(name):
    if name == "token":
        return secrets.token_urlsafe(8)
    raise AttributeError(name)
