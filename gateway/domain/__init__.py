"""The rules of the trade: values and `now` in, decisions out. Pure."""
