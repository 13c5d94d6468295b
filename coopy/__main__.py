"""`python -m coopy` is the command `coopy`."""

from coopy.cli import main

main(prog_name="coopy")
