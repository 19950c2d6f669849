-- Active and archived logs in one database, in different tables (S1-003, S1-005, S1-057).
CREATE TABLE logging.archived_system_logs (
    id             BIGINT PRIMARY KEY,
    service        VARCHAR(50) NOT NULL,
    level          VARCHAR(20) NOT NULL,
    message        TEXT NOT NULL,
    data           JSONB,
    correlation_id VARCHAR(100),
    event_type     VARCHAR(50),
    timestamp      TIMESTAMPTZ,
    archived_at    TIMESTAMPTZ NOT NULL DEFAULT NOW()
);
CREATE INDEX archived_system_logs_timestamp_idx ON logging.archived_system_logs (timestamp);
CREATE INDEX archived_system_logs_correlation_id_idx ON logging.archived_system_logs (correlation_id);

-- What each cleanup did (S1-070, S1-083).
CREATE TABLE logging.cleanup_runs (
    id                  BIGSERIAL PRIMARY KEY,
    started_at          TIMESTAMPTZ NOT NULL,
    finished_at         TIMESTAMPTZ,
    archived            BIGINT NOT NULL DEFAULT 0,
    deleted             BIGINT NOT NULL DEFAULT 0,
    performance_deleted BIGINT NOT NULL DEFAULT 0,
    error               TEXT
);
