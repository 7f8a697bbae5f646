"""`python -m app` is `vig-vault`."""

from app.cli import main

main()
