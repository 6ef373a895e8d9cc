-- How a message wishes to be carried beyond its text: flash, priority, the SMSC's own schedule, parameters.
-- JSON (domain/handling.py); null for most. No default, so no row is rewritten, and the lock is short.
SET LOCAL lock_timeout = '10s';

ALTER TABLE messages ADD COLUMN handling text;
