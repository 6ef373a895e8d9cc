-- The closed loop: messages and the log of what became of them, customers' words, conversations,
-- calls out, keys, and which node owns which bucket.
--
-- Each row on the hot way begins with bucket = crc32(msisdn) mod 256. It is the last octet of every
-- id as well, so an id alone leads to its row, and one column is enough to distribute all of it.
-- Ids are UUIDv7: they sort by time, and tables that grow are partitioned by ranges of the id.
-- Nothing on the hot way is updated: a message is one row, and every step it takes is one more.

-- What was accepted. Written once.
CREATE TABLE messages (
    bucket          smallint    NOT NULL,
    id              uuid        NOT NULL,
    accepted_at     timestamptz NOT NULL,
    msisdn          text        NOT NULL,
    sender          text        NOT NULL,          -- access number and extension, as the customer sees it
    lane            text        NOT NULL,
    category        text,                          -- of the template; opt-outs may name it
    on_unknown      text        NOT NULL,          -- 'resend' once and flagged, or 'never'
    template        text,
    version         integer,
    language        text,
    body            text        NOT NULL,
    encoding        text        NOT NULL,
    segments        smallint    NOT NULL,
    status          text        NOT NULL,          -- at acceptance: queued, scheduled, held, suppressed
    reason          text,
    due_at          timestamptz,                   -- not before
    expires_at      timestamptz,                   -- not after
    report          boolean     NOT NULL,          -- a delivery receipt is asked for
    ref             text,                          -- the caller's own reference
    key_id          uuid,
    request_id      text,
    conversation_id uuid,
    PRIMARY KEY (bucket, id)
) PARTITION BY RANGE (id);

CREATE INDEX messages_by_customer ON messages (bucket, msisdn, id);
CREATE INDEX messages_by_ref ON messages (ref) WHERE ref IS NOT NULL;

-- What became of each message, step by step, in the order of seq. The last status is the message's.
-- The key is the claim: two owners who would both take step n collide here, and one of them sends nothing.
CREATE TABLE steps (
    bucket         smallint    NOT NULL,
    message_id     uuid        NOT NULL,
    seq            integer     NOT NULL,
    at             timestamptz NOT NULL,
    kind           text        NOT NULL,           -- domain/message.py: Kind
    status         text        NOT NULL,           -- of the message, after this step
    segment        smallint,                       -- 1…n; null: about the whole message
    copy           smallint,                       -- which sending of that segment
    epoch          bigint,                         -- of the lease under which an attempt was made
    route          text,
    smsc_id        text,                           -- as the SMSC wrote it, never altered
    command_status bigint,
    reason         text,
    detail         text,                           -- a receipt as it came; when a retry is due
    PRIMARY KEY (bucket, message_id, seq)
) PARTITION BY RANGE (message_id);

-- Few rows, and the ones that people look for.
CREATE INDEX steps_in_trouble ON steps (status, at)
    WHERE status IN ('failed', 'expired', 'unknown', 'suppressed', 'cancelled');

-- Receipts that matched nothing yet. Kept seven days, looked at again when a response comes.
CREATE TABLE early_receipts (
    bucket      smallint    NOT NULL,
    id          uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    route       text        NOT NULL,
    smsc_id     text        NOT NULL,
    msisdn      text        NOT NULL,
    verdict     text        NOT NULL,
    state       text        NOT NULL,
    error       text        NOT NULL,
    detail      text        NOT NULL,
    PRIMARY KEY (bucket, id)
);

-- What is due at a moment: held messages, ends of surveys, replies that wait for their missing parts.
CREATE TABLE timers (
    bucket  smallint    NOT NULL,
    due_at  timestamptz NOT NULL,
    kind    text        NOT NULL,
    subject uuid        NOT NULL,
    PRIMARY KEY (bucket, due_at, kind, subject)
);

-- Each short message that came in, as it came, before anybody understood it.
CREATE TABLE parts (
    bucket      smallint    NOT NULL,
    id          uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    route       text        NOT NULL,
    session     text        NOT NULL,              -- which connection it came on: a copy on another one looks like a redelivery
    msisdn      text        NOT NULL,
    address     text        NOT NULL,              -- what the customer wrote to
    esm_class   smallint    NOT NULL,
    data_coding smallint    NOT NULL,
    reference   integer,
    total       smallint    NOT NULL,
    number      smallint    NOT NULL,
    payload     bytea       NOT NULL,              -- the octets, header included
    text        text        NOT NULL,
    ill_formed  boolean     NOT NULL,
    redelivery  boolean     NOT NULL,
    reply_id    uuid        NOT NULL,              -- the reply that it is, or will be, part of
    PRIMARY KEY (bucket, id)
) PARTITION BY RANGE (id);

CREATE INDEX parts_by_customer ON parts (bucket, msisdn, id);

-- A customer's words, whole.
CREATE TABLE replies (
    bucket          smallint    NOT NULL,
    id              uuid        NOT NULL,
    received_at     timestamptz NOT NULL,
    msisdn          text        NOT NULL,
    address         text        NOT NULL,
    text            text        NOT NULL,
    complete        boolean     NOT NULL,          -- false: parts of it never came
    redelivery      boolean     NOT NULL,
    status          text        NOT NULL,          -- domain/routing.py: ReplyStatus
    reason          text,
    conversation_id uuid,
    resolved_as     jsonb,
    resolved_by     text,
    resolved_at     timestamptz,
    PRIMARY KEY (bucket, id)
) PARTITION BY RANGE (id);

CREATE INDEX replies_by_customer ON replies (bucket, msisdn, id);
CREATE INDEX replies_for_a_person ON replies (id) WHERE status = 'inbox';

-- Open and closed questions. subject says what was asked and never changes, state is the machine's.
CREATE TABLE conversations (
    bucket     smallint    NOT NULL,
    id         uuid        NOT NULL,
    kind       text        NOT NULL,               -- survey
    msisdn     text        NOT NULL,
    address    text        NOT NULL,               -- access number and extension: where the answer comes in
    touchpoint text        NOT NULL,
    ticket_id  text,
    status     text        NOT NULL,
    opened_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    message_id uuid,                               -- the question
    subject    jsonb       NOT NULL,
    state      jsonb       NOT NULL,
    version    integer     NOT NULL,
    PRIMARY KEY (bucket, id)
) WITH (fillfactor = 70);

CREATE INDEX conversations_by_customer ON conversations (bucket, msisdn, id);
CREATE INDEX conversations_by_ticket ON conversations (ticket_id) WHERE ticket_id IS NOT NULL;
-- One open question at a time per customer and touchpoint.
CREATE UNIQUE INDEX conversations_open_once ON conversations (bucket, msisdn, touchpoint)
    WHERE status IN ('open', 'clarifying');

-- What we know of a number.
CREATE TABLE contacts (
    bucket     smallint    NOT NULL,
    msisdn     text        NOT NULL,
    language   text,
    tier       text,
    opt_outs   text[]      NOT NULL DEFAULT '{}',  -- 'lane:marketing', 'category:survey'
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (bucket, msisdn)
);

-- Calls into other people's systems that wait, were made, or are parked for a person.
CREATE TABLE callbacks (
    bucket     smallint    NOT NULL,
    id         uuid        NOT NULL,
    kind       text        NOT NULL,               -- connector, webhook
    target     text        NOT NULL,               -- connector's name; webhook endpoint's id
    event      text        NOT NULL,
    subject    uuid        NOT NULL,               -- of one subject and target, one after the other
    payload    jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    status     text        NOT NULL,               -- waiting, done, parked, dropped
    tries      integer     NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (bucket, id)
) WITH (fillfactor = 70);

CREATE INDEX callbacks_waiting ON callbacks (bucket, due_at) WHERE status = 'waiting';
CREATE INDEX callbacks_parked ON callbacks (id) WHERE status = 'parked';
CREATE INDEX callbacks_by_target ON callbacks (target, id);

-- Each try, with the answer that it got.
CREATE TABLE callback_tries (
    bucket      smallint    NOT NULL,
    callback_id uuid        NOT NULL,
    try         integer     NOT NULL,
    at          timestamptz NOT NULL,
    seconds     real        NOT NULL,
    http_status integer,
    answer      text,                              -- the head of the body, or what went wrong
    PRIMARY KEY (bucket, callback_id, try)
);

-- The first answer to a request, to be given again byte for byte.
CREATE TABLE idempotency (
    bucket       smallint    NOT NULL,
    key_hash     bytea       NOT NULL,             -- of API key, route and Idempotency-Key
    request_hash bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    http_status  integer     NOT NULL,
    body         bytea       NOT NULL,
    PRIMARY KEY (bucket, key_hash)
);

CREATE INDEX idempotency_by_age ON idempotency USING brin (created_at);

-- Small, shared tables.
CREATE TABLE api_keys (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    hash       bytea       NOT NULL UNIQUE,        -- SHA-256 of a 256-bit secret
    scopes     text[]      NOT NULL,
    rate       integer,                            -- requests a second; null: unlimited
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE TABLE webhooks (
    id         uuid        PRIMARY KEY,
    url        text        NOT NULL,
    events     text[]      NOT NULL,
    secrets    text[]      NOT NULL,               -- the newest first; up to four while one is being rotated out
    created_at timestamptz NOT NULL,
    removed_at timestamptz
);

-- Who owns which bucket. Each attempt carries the epoch under which it was made.
CREATE TABLE nodes (
    id         text        PRIMARY KEY,
    lock       bigint      NOT NULL,               -- advisory lock held while the node lives
    seen_at    timestamptz NOT NULL
);

CREATE TABLE leases (
    bucket         smallint    PRIMARY KEY,
    node           text,
    epoch          bigint      NOT NULL DEFAULT 0,
    expires_at     timestamptz NOT NULL DEFAULT '-infinity',
    settled_before uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
                                                   -- all messages below it have been taken by the SMSC, are final, or have a timer
) WITH (fillfactor = 20);

INSERT INTO leases (bucket) SELECT generate_series(0, 255);
