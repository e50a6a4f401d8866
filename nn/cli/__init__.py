"""The subcommands of `python -m nn`, a module each."""
