class Shop:
    def __init__(self, clock):
        self.clock = clock
        self.sales = []

    def sell(self, item):
        self.sales.append((item, self.clock()))
