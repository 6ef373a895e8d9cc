-- What each number subscribes to, as the service platforms told us and as confirmations and 0000 changed it.
--
-- A mirror: the platform's own books decide. One row for a number and a service, whatever its history; the row
-- stays when the subscription has ended, so that older news that comes late can't bring it back.

CREATE TABLE subscriptions (
    bucket     smallint      NOT NULL,
    msisdn     text          NOT NULL,
    service    text          NOT NULL,             -- the platform's code
    name       text          NOT NULL,             -- as customers know it
    price      numeric(10,2) NOT NULL,             -- yuan for each period
    period     text,                               -- day, month … ; null: once
    status     text          NOT NULL,             -- active, cancelling, cancelled: domain/subscription.py
    trial      boolean       NOT NULL,
    started_at timestamptz   NOT NULL,
    expires_at timestamptz,                        -- null: until it is cancelled
    source     uuid,                               -- the confirmation that led to it, if it was one of ours
    updated_at timestamptz   NOT NULL,             -- since when this is so; what is older changes nothing
    PRIMARY KEY (bucket, msisdn, service)
) WITH (fillfactor = 80);

-- One list of 0000 holds at a time: a new one takes the place of the old in the same transaction.
-- A migration is one transaction, in which no index can be made concurrently; no release has such rows yet.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX conversations_menu_once ON conversations (bucket, msisdn)
    WHERE kind = 'menu' AND status IN ('open', 'clarifying', 'confirming');
