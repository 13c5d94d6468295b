def differences(a,b):
    yield repr(vars(a))[:100]
