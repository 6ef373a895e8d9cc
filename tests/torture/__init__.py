"""The kill campaign: a real gateway under load, killed again and again, and judged by journals kept outside.

Caller, SMSC and ticket system write down what they saw; the checker compares these lists. The database is
what is tested and never the judge: what the gateway knows is asked for over its public interface.
"""
