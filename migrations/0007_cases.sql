-- Customers' own words are few among the surveys: the figures of a period's cases read these alone. Ids sort by time.
CREATE INDEX conversations_cases ON conversations (id) WHERE kind = 'case';
