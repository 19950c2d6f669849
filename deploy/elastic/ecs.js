// A line of tapelog, decoded below `tapelog`, as a document of the Elastic Common Schema: what ECS has a field for goes there, the
// rest stays. Must say what `runtime/src/convert/ecs.rs` says; `ship/tests/filebeat.rs` compares the two.

var PLACE = /(session_\d{8}_\d{6}(?:_\d+)?)\/(\d+)\/(?:events\/)?([^\/.]+)[^\/]*$/;

function text(value) {
  return typeof value === "string" ? value : undefined;
}

function whole(value) {
  return typeof value === "number" && value % 1 === 0 && value >= 0 ? value : undefined;
}

function put(event, field, value) {
  if (value !== undefined && value !== null) {
    event.Put(field, value);
  }
}

function process(event) {
  var place = PLACE.exec(event.Get("log.file.path") || "");
  var own = event.Get("tapelog");
  if (!place || !own || own.event_type === undefined || own.seq === undefined) {
    // No event: kept as it is, so that somebody can see it.
    var now = new Date().toISOString();
    event.Put("@metadata.day", now.slice(0, 10).replace(/-/g, "."));
    event.Put("event.kind", "pipeline_error");
    event.Put("event.module", "tapelog");
    return;
  }

  // One id in one index: what is sent twice is there once.
  var recorded = own.real_utc_time || own.timestamp;
  event.Put("@metadata._id", place[1] + "-" + place[2] + "-" + own.seq);
  event.Put("@metadata.day", recorded.slice(0, 10).replace(/-/g, "."));
  event.Put("@metadata.timestamp", own.timestamp);

  event.Put("message", text(own.message) || "");
  put(event, "log.level", text(own.level));
  event.Put("log.logger", place[3]);
  var source = /^(.*):(\d+)$/.exec(text(own.source) || "");
  if (source) {
    event.Put("log.origin.file.name", source[1]);
    event.Put("log.origin.file.line", parseInt(source[2], 10));
  }

  event.Put("event.kind", "event");
  event.Put("event.module", "tapelog");
  put(event, "event.action", text(own.event_type));
  put(event, "event.id", text(own.event_id));
  put(event, "event.sequence", whole(own.seq));
  var severities = { debug: 7, info: 6, warning: 4, error: 3 };
  event.Put("event.severity", severities[own.level] || 2);
  var outcomes = {
    ok: "success", accepted: "success", returned: "success",
    err: "failure", rejected: "failure", failed: "failure", panicked: "failure",
  };
  if (text(own.outcome)) {
    event.Put("event.outcome", outcomes[own.outcome] || "unknown");
  }
  var ms = own.duration_ms !== undefined ? own.duration_ms : own.execution_time_ms;
  if (typeof ms === "number" && ms >= 0) {
    event.Put("event.duration", Math.round(ms * 1e6));
  }
  put(event, "event.created", text(own.real_utc_time));

  put(event, "service.name", text(own.service));
  event.Put("process.pid", whole(own.pid) !== undefined ? own.pid : parseInt(place[2], 10));
  put(event, "process.thread.name", text(own.thread));
  put(event, "error.message", text(own.error));
  put(event, "error.code", text(own.error_code));
  put(event, "error.stack_trace", text(own.backtrace) || text(own.stack_trace));

  var mapped = [
    "timestamp", "real_utc_time", "level", "event_type", "service", "message", "source", "thread", "event_id", "seq", "pid",
    "error", "error_code", "backtrace", "stack_trace",
  ];
  for (var i = 0; i < mapped.length; i++) {
    event.Delete("tapelog." + mapped[i]);
  }
}
