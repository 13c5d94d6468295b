import sys
import time

if sys.platform == "nowhere":
    def now():
        return 0
else:
    def now():
        return time.time()

ticker = now if sys.version_info > (3, 0) else (lambda: 0)
pick = {True: now}.get(True)


class Cf:
    def __init__(self):
        self.out = []

    def go(self):
        self.out.append((now(), ticker(), pick()))
