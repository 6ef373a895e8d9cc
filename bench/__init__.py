"""The figures, each beside what it is held against in the same run: `python -m bench --help`."""
