"""One verb each: open the transaction, ask the domain, write the answer, acknowledge."""
