-- Customers' own words are few among the surveys: the figures of a period's cases read these alone. Ids sort by time.
-- A migration is one transaction, in which no index can be made concurrently; no release has such rows yet.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX conversations_cases ON conversations (id) WHERE kind = 'case';
