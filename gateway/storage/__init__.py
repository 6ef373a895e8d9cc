"""PostgreSQL, with the SQL in the open: one file a subject."""
