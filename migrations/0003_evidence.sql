-- Evidence of paid confirmations: who was offered what, what was sent, what came back, what was done.
--
-- Append-only and chained: each row's hash covers the row and the hash before it (domain/evidence.py), one
-- chain for each bucket, so that a row that was changed, removed or put in shows, and a whole confirmation
-- that is gone shows as well. The triggers are a seatbelt: they stop slips of ours, not who owns the
-- database. What that one does is found by `huiyin evidence verify`, against heads that were kept elsewhere.

CREATE TABLE evidence (
    bucket          smallint    NOT NULL,
    n               bigint      NOT NULL,          -- from 1, without a gap
    confirmation_id uuid        NOT NULL,
    at              timestamptz NOT NULL,
    kind            text        NOT NULL,          -- domain/testimony.py: Kind
    body            text        NOT NULL,          -- canonical JSON, the very octets that were hashed
    previous        bytea       NOT NULL,          -- the hash of row n - 1
    hash            bytea       NOT NULL,
    PRIMARY KEY (bucket, n)
);

CREATE INDEX evidence_by_confirmation ON evidence (bucket, confirmation_id, n);

-- The last row of each chain. Who appends locks the heads, in the order of bucket, so numbers have no gap.
CREATE TABLE evidence_heads (
    bucket smallint PRIMARY KEY,
    n      bigint   NOT NULL,
    hash   bytea    NOT NULL
) WITH (fillfactor = 20);

INSERT INTO evidence_heads (bucket, n, hash)
SELECT bucket, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 255) AS bucket;

-- Where rows were removed because their time was over: up to n, whose hash is what row n + 1 follows.
CREATE TABLE evidence_seals (
    bucket    smallint    NOT NULL,
    n         bigint      NOT NULL,
    hash      bytea       NOT NULL,
    before    timestamptz NOT NULL,                -- rows older than this went
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, n)
);

CREATE FUNCTION evidence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'evidence' THEN
        IF EXISTS (SELECT FROM evidence_seals s WHERE s.bucket = OLD.bucket AND s.n >= OLD.n) THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'evidence_heads' THEN
        IF NEW.bucket = OLD.bucket AND NEW.n > OLD.n THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER evidence_rows_stay BEFORE UPDATE OR DELETE ON evidence
    FOR EACH ROW EXECUTE FUNCTION evidence_stays();
CREATE TRIGGER evidence_stays BEFORE TRUNCATE ON evidence
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_stays();
CREATE TRIGGER evidence_heads_grow BEFORE UPDATE OR DELETE ON evidence_heads
    FOR EACH ROW EXECUTE FUNCTION evidence_stays();
CREATE TRIGGER evidence_heads_stay BEFORE TRUNCATE ON evidence_heads
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_stays();
CREATE TRIGGER evidence_seals_hold BEFORE UPDATE OR DELETE ON evidence_seals
    FOR EACH ROW EXECUTE FUNCTION evidence_stays();
CREATE TRIGGER evidence_seals_stay BEFORE TRUNCATE ON evidence_seals
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_stays();
