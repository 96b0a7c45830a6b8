-- What cintx-postgres keeps, in a schema of its own. Running it again changes nothing.
CREATE SCHEMA IF NOT EXISTS cintx;

-- Access tokens as the token endpoint gave them, under a hash of the credentials. Whoever can read this table can call
-- the API until they end: grant it to nobody else.
CREATE TABLE IF NOT EXISTS cintx.token (
    name text PRIMARY KEY,
    token text NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The handles of journals. The session of a living one holds the advisory lock of its number.
CREATE TABLE IF NOT EXISTS cintx.journal_owner (
    owner integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);

-- Writes whose outcome is not known yet, in the order in which they were begun. Bodies may name respondents.
CREATE TABLE IF NOT EXISTS cintx.intent (
    id text PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    journal text NOT NULL,
    owner integer NOT NULL REFERENCES cintx.journal_owner,
    operation text NOT NULL,
    path text NOT NULL,
    begun_at timestamptz NOT NULL,
    -- Not jsonb, which does not take every text that a body may hold.
    intent json NOT NULL
);
CREATE INDEX IF NOT EXISTS intent_journal ON cintx.intent (journal, position);
CREATE INDEX IF NOT EXISTS intent_owner ON cintx.intent (owner);

-- The events that were taken, so that none is taken twice.
CREATE TABLE IF NOT EXISTS cintx.inbox_event (
    id text PRIMARY KEY,
    came timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_event_came ON cintx.inbox_event (came);

-- Sessions, and the number that each is to go on with. Kept longer than the ids of their events: what a reconciliation
-- tells weeks later goes on there.
CREATE TABLE IF NOT EXISTS cintx.inbox_session (
    session text PRIMARY KEY,
    next bigint NOT NULL DEFAULT 1,
    -- The numbers below 1 that have come.
    low bigint[] NOT NULL DEFAULT '{}',
    touched timestamptz NOT NULL,
    target_group text
);
CREATE INDEX IF NOT EXISTS inbox_session_touched ON cintx.inbox_session (touched);

-- Events that wait for earlier ones of their session.
CREATE TABLE IF NOT EXISTS cintx.inbox_held (
    session text NOT NULL REFERENCES cintx.inbox_session ON DELETE CASCADE,
    sequence bigint NOT NULL,
    -- By the clock of the process that took it.
    came timestamptz NOT NULL,
    -- By the clock that all processes share.
    received timestamptz NOT NULL DEFAULT clock_timestamp(),
    body bytea NOT NULL,
    PRIMARY KEY (session, sequence)
);
CREATE INDEX IF NOT EXISTS inbox_held_came ON cintx.inbox_held (came);
CREATE INDEX IF NOT EXISTS inbox_held_received ON cintx.inbox_held (received);

-- Numbers of sessions that were not waited for any longer.
CREATE TABLE IF NOT EXISTS cintx.inbox_missing (
    session text NOT NULL REFERENCES cintx.inbox_session ON DELETE CASCADE,
    first bigint NOT NULL,
    last bigint NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (session, first)
);

-- The newest counts of each quota: an empty quota is the target group as a whole.
CREATE TABLE IF NOT EXISTS cintx.inbox_quota (
    target_group text NOT NULL,
    quota text NOT NULL,
    -- Whether counts have come, and not the row alone.
    is_known boolean NOT NULL DEFAULT false,
    -- In microseconds since 1970, as an event may have none: then it is the oldest.
    time bigint,
    completes bigint NOT NULL DEFAULT 0,
    screens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (target_group, quota)
);

-- What is to be handled. Of one stream, a session or a quota, only the first can be claimed.
CREATE TABLE IF NOT EXISTS cintx.inbox_fact (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text,
    is_late boolean NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_fact_stream ON cintx.inbox_fact (stream, number);

-- Shared rates: from when on the next request may leave. Worth nothing after a crash, so it is not logged.
CREATE UNLOGGED TABLE IF NOT EXISTS cintx.pace (
    name text PRIMARY KEY,
    free_at timestamptz NOT NULL,
    -- How many turns were taken last: those that were due go to one process at once.
    taken integer NOT NULL DEFAULT 1
);
