-- What is asked most (S1-071…075). Each view reads through the indexes of the tables.

-- The orders' events, a row each: `trading_logs` of S1-072 and C24.
CREATE VIEW logging.trading_logs AS
SELECT id,
       correlation_id                               AS trade_id,
       timestamp,
       service,
       event_type,
       data ->> 'decision_id'                       AS decision_id,
       data ->> 'intent_id'                         AS intent_id,
       data ->> 'order_id'                          AS order_id,
       data ->> 'client_order_id'                   AS client_order_id,
       data ->> 'symbol'                            AS symbol,
       data ->> 'side'                              AS side,
       data ->> 'venue'                             AS venue,
       (data ->> 'attempt')::BIGINT                 AS attempt,
       (data -> 'qty')                              AS qty,
       (data -> 'limit_px')                         AS limit_px,
       message
FROM logging.system_logs
WHERE event_type LIKE 'ORDER\_%' OR event_type IN ('BUY_FILLED', 'SELL_FILLED', 'ORPHAN_EXECUTION');

-- Average execution time per service over the last day (S1-073).
CREATE VIEW logging.service_performance AS
SELECT service, AVG(execution_time_ms) AS avg_execution_time_ms, COUNT(*) AS calls
FROM logging.performance_logs
WHERE timestamp >= NOW() - INTERVAL '1 day'
GROUP BY service
ORDER BY service;

-- Per service and operation over the last day, slowest first (S1-074).
CREATE VIEW logging.slow_operations AS
SELECT service, operation,
       AVG(execution_time_ms) AS avg_execution_time_ms,
       MAX(execution_time_ms) AS max_execution_time_ms,
       COUNT(*)               AS calls
FROM logging.performance_logs
WHERE timestamp >= NOW() - INTERVAL '1 day'
GROUP BY service, operation
ORDER BY avg_execution_time_ms DESC;

-- Errors per service and level over seven days (S1-075).
CREATE VIEW logging.error_counts AS
SELECT service, level, COUNT(*) AS error_count, MAX(timestamp) AS last_error
FROM logging.system_logs
WHERE level IN ('ERROR', 'CRITICAL') AND timestamp >= NOW() - INTERVAL '7 days'
GROUP BY service, level
ORDER BY error_count DESC;
