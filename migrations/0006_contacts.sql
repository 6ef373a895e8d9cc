-- Who said that a customer wants no more of something, and when: scope → {"by": …, "at": …}, beside the list of
-- scopes that the hot way reads. Opt-outs from before have none.
ALTER TABLE contacts ADD COLUMN opted_out jsonb NOT NULL DEFAULT '{}';
