#!/usr/bin/env python3
"""Makes `kibana.ndjson` (data view and dashboards) and `rules/*.json` from what stands below: `./make.py` after a change.

A test (`ship/tests/elastic_deploy`) makes them again and compares, and looks up every event and field in the event reference.
"""

import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
VIEW = "tapelog"
# What the objects are written as; newer versions of Kibana migrate them.
CORE, LENS, DASHBOARD, INDEX_PATTERN = "8.8.0", "8.9.0", "8.9.0", "8.0.0"


def ident(*words):
    """An id in the form of a random UUID, the same each time: Kibana takes no other for rules."""
    digits = list(hashlib.sha256("/".join(words).encode()).hexdigest()[:32])
    digits[12] = "4"
    digits[16] = "89ab"[int(digits[16], 16) % 4]
    text = "".join(digits)
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def events(*names):
    return "event.action : (" + " or ".join(f'"{name}"' for name in names) + ")"


# --- panels -----------------------------------------------------------------------------------------------------------------------


def count(label="Events", kql=None):
    column = {"label": label, "dataType": "number", "operationType": "count", "isBucketed": False, "scale": "ratio",
              "sourceField": "___records___", "params": {"emptyAsNull": False}, "customLabel": True}
    if kql:
        column["filter"] = {"query": kql, "language": "kuery"}
    return column


def of(operation, field, label, kql=None, **params):
    column = {"label": label, "dataType": "number", "operationType": operation, "isBucketed": False, "scale": "ratio",
              "sourceField": field, "params": {"emptyAsNull": True, **params}, "customLabel": True}
    if kql:
        column["filter"] = {"query": kql, "language": "kuery"}
    return column


def percentiles(field, unit="ms"):
    return [of("percentile", field, f"p{p:g} ({unit})", percentile=p) for p in (50, 95, 99)]


def last(field, label, kind="string"):
    return {"label": label, "dataType": kind, "operationType": "last_value", "isBucketed": False,
            "scale": "ordinal" if kind == "string" else "ratio", "sourceField": field, "customLabel": True,
            "params": {"sortField": "@timestamp", "showArrayValues": False}}


def over_time():
    return {"label": "Time", "dataType": "date", "operationType": "date_histogram", "isBucketed": True, "scale": "interval",
            "sourceField": "@timestamp", "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False}}


def top(field, label, by, size=10):
    return {"label": label, "dataType": "string", "operationType": "terms", "isBucketed": True, "scale": "ordinal",
            "sourceField": field, "customLabel": True,
            "params": {"size": size, "orderBy": {"type": "column", "columnId": by}, "orderDirection": "desc",
                       "otherBucket": True, "missingBucket": False, "parentFormat": {"id": "terms"}}}


def state(kql, columns, visualization):
    return {"datasourceStates": {"formBased": {"layers": {"layer": {
        "columns": columns, "columnOrder": list(columns), "incompleteColumns": {}}}}},
        "visualization": visualization, "query": {"query": kql, "language": "kuery"}, "filters": [],
        "internalReferences": [], "adHocDataViews": {}}


def chart(title, kql, values, split=None, kind="line"):
    """Values over time, one line each, or one for each value of a field."""
    columns = {"time": over_time()}
    if split:
        columns["split"] = top(split, split, "value0")
    accessors = []
    for number, value in enumerate(values):
        columns[f"value{number}"] = value
        accessors.append(f"value{number}")
    layer = {"layerId": "layer", "layerType": "data", "seriesType": kind, "xAccessor": "time", "accessors": accessors,
             "position": "top", "showGridlines": False}
    if split:
        layer["splitAccessor"] = "split"
    return title, "lnsXY", state(kql, columns, {
        "layers": [layer], "preferredSeriesType": kind, "legend": {"isVisible": True, "position": "right"}, "valueLabels": "hide",
        "fittingFunction": "None"})


def table(title, kql, rows, values):
    columns = {}
    for number, (field, label) in enumerate(rows):
        columns[f"row{number}"] = top(field, label, "value0", 20)
    for number, value in enumerate(values):
        columns[f"value{number}"] = value
    return title, "lnsDatatable", state(kql, columns, {
        "layerId": "layer", "layerType": "data", "columns": [{"columnId": column, "isTransposed": False} for column in columns]})


def number(title, kql, value):
    return title, "lnsMetric", state(kql, {"value0": value}, {"layerId": "layer", "layerType": "data", "metricAccessor": "value0"})


ORDERS = ("ORDER_CONTEXT", "ORDER_SUBMITTED", "ORDER_ACCEPTED", "ORDER_PARTIALLY_FILLED", "ORDER_FILLED", "ORDER_CANCELLED",
          "ORDER_REPLACED", "ORDER_EXPIRED", "ORDER_REJECTED", "ORDER_FAILED", "ORDER_UNKNOWN", "ORDER_CLOSED")
CALLS = ("API_RESPONSE", "API_FAILED")

DASHBOARDS = {
    "Order lifecycle": [
        (12, number("Attempts", events("ORDER_CONTEXT"), count("Attempts"))),
        (12, number("Filled", events("ORDER_FILLED"), count("Fills"))),
        (12, number("Failed or rejected", events("ORDER_FAILED", "ORDER_REJECTED"), count("Failed or rejected"))),
        (12, number("Unknown: may be live", events("ORDER_UNKNOWN"), count("Unknown"))),
        (48, chart("What orders do", events(*ORDERS), [count()], "event.action", "bar_stacked")),
        (24, chart("Time to the answer", events("ORDER_SUBMITTED", "ORDER_REJECTED", "ORDER_FAILED"), percentiles("tapelog.duration_ms"))),
        (24, table("Why orders fail", events("ORDER_FAILED", "ORDER_REJECTED"), [("tapelog.venue", "Venue"), ("error.code", "Code"), ("tapelog.reason", "Reason")], [count()])),
        (48, table("By symbol", events(*ORDERS), [("tapelog.symbol", "Symbol"), ("tapelog.side", "Side")], [
            count("Attempts", events("ORDER_CONTEXT")), count("Filled", events("ORDER_FILLED")),
            count("Rejected", events("ORDER_REJECTED")), count("Failed", events("ORDER_FAILED")),
            count("Unknown", events("ORDER_UNKNOWN")), of("sum", "tapelog.fee", "Fees")])),
        (48, table("Not known how they ended", events("ORDER_UNKNOWN"), [("tapelog.intent_id", "Intent"), ("tapelog.decision_id", "Decision"), ("tapelog.symbol", "Symbol")], [count()])),
    ],
    "Trailing stops": [
        (48, chart("Where stops stand", events("TRAILING_UPDATED"), [of("max", "tapelog.new_level", "Stop")], "tapelog.symbol")),
        (24, chart("Price when they moved", events("TRAILING_UPDATED"), [of("max", "tapelog.mark_px", "Price")], "tapelog.symbol")),
        (24, chart("Moves", events("TRAILING_UPDATED"), [count("Moves")], "tapelog.rule", "bar_stacked")),
        (24, table("Exit rules", events("EXIT_RULE_EVALUATED"), [("tapelog.rule", "Rule"), ("tapelog.symbol", "Symbol")], [
            count("Evaluated"), count("Triggered", "tapelog.triggered : true"), of("average", "tapelog.value", "Mean value")])),
        (24, table("Exits", events("EXIT_SIGNAL", "EXIT_FORCED", "SELL_TRIGGERED"), [("event.action", "Event"), ("tapelog.symbol", "Symbol"), ("tapelog.reason", "Reason")], [
            count("Exits"), of("sum", "tapelog.pnl_usd", "PnL (USD)")])),
    ],
    "Latency percentiles": [
        (24, chart("Operations", events("PERFORMANCE", "PERFORMANCE_SLOW"), percentiles("tapelog.execution_time_ms"))),
        (24, chart("API calls", events(*CALLS), percentiles("tapelog.latency_ms"))),
        (24, chart("Decisions", events("DECISION_END"), percentiles("tapelog.duration_ms"))),
        (24, chart("p99 of each operation, over all calls", events("PERFORMANCE_SUMMARY"), [of("max", "tapelog.p99_ms", "p99 (ms)")], "tapelog.operation")),
        (24, table("Slowest operations", events("PERFORMANCE_SUMMARY"), [("tapelog.operation", "Operation"), ("service.name", "Service")], [
            of("max", "tapelog.p99_ms", "p99 (ms)"), of("max", "tapelog.p999_ms", "p99.9 (ms)"), of("max", "tapelog.max_ms", "Longest (ms)"), of("sum", "tapelog.count", "Calls")])),
        (24, table("API calls", events(*CALLS), [("tapelog.api", "API"), ("tapelog.endpoint", "Endpoint")], [
            count("Calls"), count("Status 400 and above", "tapelog.http_status >= 400"), *percentiles("tapelog.latency_ms")])),
        (48, table("Slow queries", events("SLOW_QUERY"), [("tapelog.query_name", "Query"), ("tapelog.pool", "Pool")], [count("Times"), of("max", "tapelog.duration_ms", "Longest (ms)")])),
    ],
    "WebSocket uptime": [
        (12, number("Disconnections", events("WS_DISCONNECTED"), count("Disconnections"))),
        (12, number("Stale streams", events("STREAM_STALE"), count("Times"))),
        (12, number("Messages that could not be read", events("WS_DECODE_ERROR"), count("Messages"))),
        (12, number("Answers to pings", events("WS_LIVENESS"), count("Answers", "tapelog.alive : true"))),
        (48, table("Connections", events("WS_CONNECTED", "WS_DISCONNECTED", "WS_RECONNECTING", "WS_LIVENESS", "STREAM_STALE"), [("tapelog.connection", "Connection")], [
            of("sum", "tapelog.connected_s", "Connected until it broke (s)"), count("Connected", events("WS_CONNECTED")), count("Disconnected", events("WS_DISCONNECTED")),
            count("Alive", "tapelog.alive : true"), count("Not alive", "tapelog.alive : false"), count("Stale", events("STREAM_STALE")),
            of("percentile", "tapelog.latency_ms", "p99 of pings (ms)", percentile=99)])),
        (24, chart("Alive or not", events("WS_LIVENESS"), [count("Alive", "tapelog.alive : true"), count("Not alive", "tapelog.alive : false")], None, "bar_stacked")),
        (24, chart("How old the newest message was", events("STREAM_STALE"), [of("max", "tapelog.age_ms", "Age (ms)")], "tapelog.connection")),
        (48, table("Why connections broke", events("WS_DISCONNECTED"), [("tapelog.connection", "Connection"), ("tapelog.reason", "Reason"), ("tapelog.close_code", "Code")], [count("Times")])),
    ],
    "Decisions": [
        (12, number("Decisions", events("DECISION_END"), count("Decisions"))),
        (12, number("Failed", events("DECISION_END") + " and event.outcome : failure", count("Failed"))),
        (12, number("Blocked", events("BUY_BLOCKED", "SELL_BLOCKED"), count("Blocked"))),
        (12, number("Stalled", events("DECISION_STALLED"), count("Stalled"))),
        (48, chart("How decisions end", events("DECISION_END"), [count()], "tapelog.outcome", "bar_stacked")),
        (24, chart("What blocks", events("BUY_BLOCKED", "SELL_BLOCKED"), [count("Blocked")], "tapelog.rule", "bar_stacked")),
        (24, table("Rules", events("BUY_BLOCKED", "SELL_BLOCKED"), [("tapelog.rule", "Rule"), ("tapelog.symbol", "Symbol")], [
            count("Blocked"), of("average", "tapelog.value", "Mean value"), of("max", "tapelog.limit", "Limit")])),
        (24, chart("How long they take", events("DECISION_END"), percentiles("tapelog.duration_ms"))),
        (24, table("Functions", events("DECISION_END"), [("tapelog.function", "Function"), ("tapelog.kind", "Kind")], [
            count("Decisions"), count("Failed", "event.outcome : failure"), *percentiles("tapelog.duration_ms")])),
        (48, table("Errors", events("DECISION_END") + " and event.outcome : failure", [("tapelog.function", "Function"), ("tapelog.decision_id", "Decision")], [count(), last("log.origin.file.name", "File")])),
    ],
    "Heartbeats": [
        (48, chart("Heartbeats of each service", events("SHUTDOWN_HEARTBEAT"), [count("Heartbeats")], "service.name", "bar_stacked")),
        (24, chart("Threads", events("SHUTDOWN_HEARTBEAT"), [of("max", "tapelog.threads_alive", "Alive"), of("max", "tapelog.threads_stalled", "Without progress")])),
        (24, chart("Open decisions", events("SHUTDOWN_HEARTBEAT"), [of("max", "tapelog.decisions_open", "Open"), of("max", "tapelog.decisions_stalled", "Without progress")])),
        (24, table("Who was heard when", events("SHUTDOWN_HEARTBEAT", "RUN_STARTED", "RUN_ENDED", "RUN_ENDED_UNCLEANLY"), [("service.name", "Service"), ("host.name", "Host"), ("tapelog.session_id", "Session")], [
            count("Heartbeats", events("SHUTDOWN_HEARTBEAT")), last("event.action", "Last"), last("@timestamp", "When", "date")])),
        (24, table("What hangs", events("THREAD_STALLED", "THREAD_RECOVERED", "DECISION_STALLED", "DEADLOCK", "RUNTIME_DELAYED"), [("event.action", "Event"), ("service.name", "Service")], [
            count("Times"), of("max", "tapelog.age_s", "Longest (s)"), last("tapelog.stalled_thread", "Last thread"), last("tapelog.location", "Where")])),
        (24, chart("Lost records", events("RECORDS_LOST"), [of("sum", "tapelog.lost", "Records")], "service.name", "bar_stacked")),
        (24, table("How runs end", events("RUN_ENDED", "RUN_ENDED_UNCLEANLY", "RUN_UNRECOVERABLE", "SHUTDOWN_FORCED", "PANIC"), [("service.name", "Service"), ("event.action", "Event")], [count("Times")])),
    ],
    "Configuration drift": [
        (12, number("Sessions with another configuration", events("CONFIG_DIFF"), count("Sessions"))),
        (12, number("Changed while running", events("CONFIG_RELOAD"), count("Times"))),
        (12, number("Problems", events("CONFIG_PROBLEM"), count("Problems"))),
        (12, number("With overrides", events("CONFIG_OVERRIDES"), count("Sessions"))),
        (48, table("Changes", events("CONFIG_DIFF"), [("service.name", "Service"), ("tapelog.session_id", "Session"), ("tapelog.prev_session", "Before"), ("tapelog.prev_hash", "Hash before"), ("tapelog.current_hash", "Hash")], [count("Times")])),
        (48, chart("Configurations in use", events("CONFIG_HASH"), [count("Sessions")], "tapelog.config_hash", "bar_stacked")),
        (48, table("Newest configuration of each service", events("CONFIG_HASH"), [("service.name", "Service"), ("host.name", "Host")], [count("Sessions"), last("tapelog.config_hash", "Hash")])),
    ],
}


def dashboard(title, panels):
    made, references = [], []
    x = y = 0
    for at, (width, (name, kind, of_state)) in enumerate(panels):
        height = 6 if kind == "lnsMetric" else 13
        if x + width > 48:
            x, y = 0, y + row_height
        row_height = height
        index = f"panel{at}"
        reference = {"type": "index-pattern", "id": VIEW, "name": "indexpattern-datasource-layer-layer"}
        made.append({
            "type": "lens", "panelIndex": index, "title": name,
            "gridData": {"x": x, "y": y, "w": width, "h": height, "i": index},
            "embeddableConfig": {"enhancements": {}, "hidePanelTitles": False, "attributes": {
                "title": name, "description": "", "type": "lens", "visualizationType": kind, "state": of_state, "references": [reference]}},
        })
        references.append({**reference, "name": f"{index}:{reference['name']}"})
        x += width
    text = lambda value: json.dumps(value, separators=(",", ":"))
    return {
        "type": "dashboard", "id": ident("dashboard", title),
        "attributes": {
            "title": f"[tapelog] {title}", "description": "", "version": 1, "timeRestore": True,
            "timeFrom": "now-24h", "timeTo": "now", "refreshInterval": {"pause": False, "value": 60000},
            "optionsJSON": text({"useMargins": True, "syncColors": False, "syncCursor": True, "syncTooltips": False, "hidePanelTitles": False}),
            "panelsJSON": text(made),
            "kibanaSavedObjectMeta": {"searchSourceJSON": text({"query": {"query": "", "language": "kuery"}, "filter": []})},
        },
        "references": references, "coreMigrationVersion": CORE, "typeMigrationVersion": DASHBOARD, "managed": False,
    }


# --- rules ------------------------------------------------------------------------------------------------------------------------


def rule(requirement, name, query, minutes, every="1m"):
    return {
        "id": ident("rule", name), "name": f"tapelog: {name}", "tags": ["tapelog", requirement], "rule_type_id": ".es-query",
        "consumer": "stackAlerts", "schedule": {"interval": every},
        "params": {"searchType": "esqlQuery", "esqlQuery": {"esql": " | ".join(query)}, "timeField": "@timestamp", "size": 100,
                   "timeWindowSize": minutes, "timeWindowUnit": "m", "threshold": [0], "thresholdComparator": ">",
                   "excludeHitsFromPreviousRun": False, "aggType": "count", "groupBy": "all"},
        # The Basic licence writes into an index or into Kibana's log; choose a connector in Kibana.
        "actions": [],
    }


def where(*names):
    return "WHERE event.action IN (" + ", ".join(f'"{name}"' for name in names) + ")"


FROM = "FROM tapelog-*"
# A process that ended is not missing.
LIVES = ["EVAL end = CASE(event.action == \"RUN_ENDED\", 1, 0)"]

RULES = {
    "S3-036-api-failures": rule("S3-036", "surge of failed API calls", [
        FROM, where(*CALLS), 'EVAL failed = CASE(event.action == "API_FAILED" OR tapelog.http_status >= 400, 1, 0)',
        "STATS calls = COUNT(*), failures = SUM(failed) BY service.name, tapelog.api", "WHERE failures >= 5 AND failures * 5 > calls"], 5),
    "S3-037-error-exits": rule("S3-037", "repeated exits for the reason error", [
        FROM, where("EXIT_SIGNAL", "EXIT_FORCED", "SELL_TRIGGERED"), 'WHERE tapelog.reason == "error"',
        "STATS exits = COUNT(*) BY service.name", "WHERE exits >= 2"], 15),
    "S3-038-frontend-boundary": rule("S3-038", "error boundary of the frontend", [
        FROM, 'WHERE tapelog.origin == "frontend" AND event.action LIKE "*BOUNDARY*"', "STATS times = COUNT(*) BY service.name"], 5),
    "S3-039-price-stream-stale": rule("S3-039", "stale price stream", [
        FROM, where("STREAM_STALE"), "STATS times = COUNT(*), age_ms = MAX(tapelog.age_ms) BY service.name, tapelog.connection"], 2),
    "S3-039-price-stream-silent": rule("S3-039", "silent price stream", [
        FROM, where("WS_CONNECTED", "WS_LIVENESS", "RUN_ENDED"), *LIVES,
        "STATS heard = MAX(@timestamp), ended = SUM(end) BY service.name, tapelog.session_id, process.pid",
        "WHERE ended == 0 AND heard < NOW() - 30 seconds"], 30),
    "S4-036-config-diff": rule("S4-036", "unexpected change of the configuration", [
        FROM, where("CONFIG_DIFF"), "STATS times = COUNT(*) BY service.name, tapelog.session_id, tapelog.prev_session"], 15),
    "S4-037-missing-heartbeat": rule("S4-037", "missing heartbeat", [
        FROM, where("SHUTDOWN_HEARTBEAT", "RUN_STARTED", "RUN_ENDED"), *LIVES,
        "STATS heard = MAX(@timestamp), ended = SUM(end) BY service.name, host.name, tapelog.session_id, process.pid",
        "WHERE ended == 0 AND heard < NOW() - 75 seconds"], 60),
    "S4-037-stalled-thread": rule("S4-037", "thread without progress", [
        FROM, where("THREAD_STALLED", "DEADLOCK"), "STATS times = COUNT(*) BY service.name, tapelog.stalled_thread, tapelog.location"], 5),
    "S4-038-order-failures": rule("S4-038", "high rate of failed orders", [
        FROM, where("ORDER_CONTEXT", "ORDER_FAILED"), 'EVAL failed = CASE(event.action == "ORDER_FAILED", 1, 0)',
        "STATS events = COUNT(*), failures = SUM(failed) BY service.name", "WHERE failures >= 5 AND failures * 10 > events - failures"], 5),
    "records-lost": rule("S4-025", "lost records", [
        FROM, where("RECORDS_LOST"), "STATS lost = SUM(tapelog.lost) BY service.name"], 5),
}


def main(folder):
    view = {
        "type": "index-pattern", "id": VIEW,
        "attributes": {"title": "tapelog-*", "name": "tapelog", "timeFieldName": "@timestamp"},
        "references": [], "coreMigrationVersion": CORE, "typeMigrationVersion": INDEX_PATTERN, "managed": False,
    }
    objects = [view] + [dashboard(title, panels) for title, panels in DASHBOARDS.items()]
    (folder / "kibana.ndjson").write_text("".join(json.dumps(one, separators=(",", ":")) + "\n" for one in objects))
    (folder / "rules").mkdir(exist_ok=True)
    for name, one in RULES.items():
        (folder / "rules" / f"{name}.json").write_text(json.dumps(one, indent=2) + "\n")


main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
