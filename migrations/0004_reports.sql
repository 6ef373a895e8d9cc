-- Figures of the days that are over: how many surveys and answers to tickets of each day were alike.
--
-- A day is counted once it is so old that little of it still changes, and counted again when something did.
-- Reports read these tables for such days and the conversations for the rest, in one snapshot, so they never
-- tell anything but what the conversations say. The days are those of one time zone.

-- Which days are counted. One that has a change in report_changes is not up to date, and is read live.
CREATE TABLE report_days (
    day        date        PRIMARY KEY,
    first_id   uuid        NOT NULL,               -- the ids of the day's conversations: from here
    end_id     uuid        NOT NULL,               -- to below this; another time zone has others
    counted_at timestamptz NOT NULL
);

-- Conversations that changed long after they were opened; written with the change, so none is missed, and
-- removed by who counts their day anew. Without an order or a key: those who write it never wait.
CREATE TABLE report_changes (
    id uuid NOT NULL
);

-- Each survey is in two rows: one that tells the agent, and one for all agents, which most reports read.
CREATE TABLE satisfaction_days (
    day         date     NOT NULL,                 -- on which the customer was asked
    touchpoint  text     NOT NULL,
    department  text,
    type        text,                              -- of the ticket
    agent       text,
    scale       text     NOT NULL,
    status      text     NOT NULL,
    reason      text,
    score       smallint,
    low         boolean  NOT NULL,
    followed_up boolean  NOT NULL,
    revised     boolean  NOT NULL,
    by_person   boolean  NOT NULL,
    by_agent    boolean  NOT NULL,                 -- false: for all agents, and agent is null
    surveys     integer  NOT NULL                  -- so many were alike in all of that
);

CREATE INDEX satisfaction_days_by_day ON satisfaction_days (day, by_agent);

CREATE TABLE timeliness_days (
    day         date     NOT NULL,                 -- on which the resolution came
    department  text,
    type        text,
    handler     text,
    hours       smallint,                          -- begun between dispatch and answer, domain/timeliness.py
    resolutions integer  NOT NULL
);

CREATE INDEX timeliness_days_by_day ON timeliness_days (day);
