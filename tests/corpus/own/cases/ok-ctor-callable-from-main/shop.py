class Shop:
    def __init__(self, clock):
        self.fixed = clock()
        self.sales = []

    def sell(self, item):
        self.sales.append((item, self.fixed))
