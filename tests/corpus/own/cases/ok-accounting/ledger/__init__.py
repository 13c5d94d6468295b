from ledger.book import Ledger as Ledger
from ledger.money import Money as Money
