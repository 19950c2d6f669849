-- The events of tapelog runs as views that answer S1-071…075: duckdb -init contrib/duckdb/views.sql
--
-- Reads every segment below `logs`, packed ones too; for another root, first: SET VARIABLE tape_root = '/var/log/engine';
SET VARIABLE tape_root = coalesce(getvariable('tape_root'), 'logs');

-- Every event once: what most questions are about as columns, the whole line in `event`.
CREATE OR REPLACE TEMP VIEW events AS
SELECT DISTINCT ON (session_id, run, seq) * FROM (
    SELECT
        CAST(json ->> 'timestamp' AS TIMESTAMPTZ) AS timestamp,
        upper(json ->> 'level') AS level,
        json ->> 'event_type' AS event_type,
        json ->> 'category' AS category,
        json ->> 'service' AS service,
        json ->> 'session_id' AS session_id,
        json ->> 'decision_id' AS decision_id,
        json ->> 'correlation_id' AS correlation_id,
        json ->> 'intent_id' AS intent_id,
        json ->> 'order_id' AS order_id,
        json ->> 'symbol' AS symbol,
        json ->> 'message' AS message,
        json ->> 'source' AS source,
        json ->> 'thread' AS thread,
        CAST(json ->> 'seq' AS UBIGINT) AS seq,
        regexp_extract(filename, '(session_[^/]+/[0-9]+)/', 1) AS run,
        filename,
        json AS event
    FROM read_ndjson_objects(getvariable('tape_root') || '/session_*/*/**/*.jsonl*', filename = true, ignore_errors = true,
        maximum_object_size = 67108864)
    WHERE json ->> 'seq' IS NOT NULL AND json ->> 'timestamp' IS NOT NULL
);

-- S1-050…056
CREATE OR REPLACE TEMP VIEW system_logs AS
SELECT service, level, message, event AS data, correlation_id, event_type, timestamp FROM events;

CREATE OR REPLACE TEMP VIEW performance_logs AS
SELECT
    service,
    event ->> 'operation' AS operation,
    CAST(event ->> 'execution_time_ms' AS DOUBLE) AS execution_time_ms,
    CAST(event ->> 'memory_usage_mb' AS DOUBLE) AS memory_usage_mb,
    CAST(event ->> 'cpu_usage_percent' AS DOUBLE) AS cpu_usage_percent,
    decision_id, correlation_id, timestamp
FROM events
WHERE event_type IN ('PERFORMANCE', 'PERFORMANCE_SLOW');

-- C24: orders and fills; a trade's id is its correlation id, else its decision.
CREATE OR REPLACE TEMP VIEW trading_logs AS
SELECT
    coalesce(correlation_id, decision_id) AS trade_id, symbol, event ->> 'side' AS side,
    CAST(coalesce(event ->> 'fill_qty', event ->> 'qty') AS DOUBLE) AS quantity,
    CAST(coalesce(event ->> 'fill_price', event ->> 'px', event ->> 'limit_px') AS DOUBLE) AS price,
    event_type, decision_id, intent_id, order_id, timestamp
FROM events
WHERE category = 'execution';

-- S1-071: SELECT * FROM correlated('trade-12345');
CREATE OR REPLACE TEMP MACRO correlated(id) AS TABLE
SELECT timestamp, service, level, event_type, message FROM events WHERE correlation_id = id ORDER BY timestamp, run, seq;

-- S1-072: SELECT * FROM trades_of('BTC/USDT');
CREATE OR REPLACE TEMP MACRO trades_of(asked) AS TABLE
SELECT t.timestamp, t.trade_id, t.event_type, t.quantity, t.price, l.level, l.message
FROM trading_logs t JOIN system_logs l ON t.trade_id = l.correlation_id
WHERE t.symbol = asked ORDER BY t.timestamp;

-- S1-073: of the last day on the tape.
CREATE OR REPLACE TEMP VIEW average_by_service AS
SELECT service, avg(execution_time_ms) AS avg_ms, count(*) AS calls
FROM performance_logs WHERE timestamp >= (SELECT max(timestamp) FROM performance_logs) - INTERVAL 1 DAY
GROUP BY service ORDER BY avg_ms DESC;

-- S1-074: slowest first.
CREATE OR REPLACE TEMP VIEW slowest_operations AS
SELECT service, operation, avg(execution_time_ms) AS avg_ms, max(execution_time_ms) AS max_ms, count(*) AS calls,
    quantile_cont(execution_time_ms, 0.99) AS p99_ms
FROM performance_logs WHERE timestamp >= (SELECT max(timestamp) FROM performance_logs) - INTERVAL 1 DAY
GROUP BY service, operation ORDER BY avg_ms DESC;

-- S1-075: of the last seven days on the tape.
CREATE OR REPLACE TEMP VIEW errors_by_service AS
SELECT service, level, count(*) AS errors, max(timestamp) AS last_at, arg_max(coalesce(event ->> 'error', message), timestamp) AS last_error
FROM events
WHERE level IN ('ERROR', 'CRITICAL') AND timestamp >= (SELECT max(timestamp) FROM events) - INTERVAL 7 DAY
GROUP BY service, level ORDER BY errors DESC;
