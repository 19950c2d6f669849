-- The tables of S1-050…056, word for word; `data` holds every field of an event that has no column of its own, with its exact digits.
CREATE SCHEMA IF NOT EXISTS logging;

CREATE TABLE logging.system_logs (
    id             BIGSERIAL PRIMARY KEY,
    service        VARCHAR(50) NOT NULL,
    level          VARCHAR(20) NOT NULL
        CONSTRAINT system_logs_level_is_known CHECK (level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    message        TEXT NOT NULL,
    data           JSONB,
    correlation_id VARCHAR(100),
    event_type     VARCHAR(50),
    timestamp      TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX system_logs_timestamp_idx ON logging.system_logs (timestamp);
CREATE INDEX system_logs_service_idx ON logging.system_logs (service);
CREATE INDEX system_logs_level_idx ON logging.system_logs (level);
CREATE INDEX system_logs_correlation_id_idx ON logging.system_logs (correlation_id);
CREATE INDEX system_logs_event_type_idx ON logging.system_logs (event_type);
CREATE INDEX system_logs_service_timestamp_idx ON logging.system_logs (service, timestamp);
COMMENT ON COLUMN logging.system_logs.correlation_id IS
    'the event''s correlation_id; where it has none, its decision_id, then its intent_id';

CREATE TABLE logging.performance_logs (
    id                BIGSERIAL PRIMARY KEY,
    service           VARCHAR(50) NOT NULL,
    operation         VARCHAR(100) NOT NULL,
    execution_time_ms DECIMAL(10,3) NOT NULL,
    memory_usage_mb   DECIMAL(10,3),
    cpu_usage_percent DECIMAL(5,2),
    timestamp         TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX performance_logs_timestamp_idx ON logging.performance_logs (timestamp);
CREATE INDEX performance_logs_service_idx ON logging.performance_logs (service);
CREATE INDEX performance_logs_operation_idx ON logging.performance_logs (operation);
CREATE INDEX performance_logs_service_timestamp_idx ON logging.performance_logs (service, timestamp);

-- How far each run has arrived: moved in the transaction that inserts the rows, so that every event is there exactly once.
CREATE TABLE logging.ship_positions (
    session_id TEXT NOT NULL,
    pid        BIGINT NOT NULL,
    position   JSONB NOT NULL,
    events     BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    PRIMARY KEY (session_id, pid)
);
