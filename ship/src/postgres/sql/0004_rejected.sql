-- What the tables refused, whole, with the reason: kept in the transaction that moves the position past it, so that no crash
-- loses it. `rejected.jsonl` beside the shipper says the same.
CREATE TABLE logging.rejected_events (
    session_id  TEXT NOT NULL,
    pid         BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    reason      TEXT NOT NULL,
    event       TEXT NOT NULL,
    rejected_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    PRIMARY KEY (session_id, pid, seq)
);
