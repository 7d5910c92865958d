"""`python -m pipelex_cogt` is `pipelex-cogt`."""

from pipelex_cogt.cli import main

main()
