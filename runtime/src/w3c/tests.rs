//! The cases of the specifications and of the W3C's own test suite for Trace Context, by their meaning.

use super::*;
use crate::Context;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn parent(text: &str) -> Option<String> {
    text.parse::<TraceParent>().ok().map(|parent| parent.to_string())
}

#[test]
fn a_traceparent_of_version_00_is_taken_to_the_letter() {
    assert_eq!(parent(TRACE).as_deref(), Some(TRACE));
    assert_eq!(
        parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap().chars().last(),
        Some('0')
    );
    // Unknown flags are not passed on.
    assert_eq!(parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff").as_deref(), Some(TRACE));
}

#[test]
fn a_traceparent_that_is_wrong_is_not_there() {
    for wrong in [
        "",
        "00",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "0X-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ".0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-.af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-.7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-.1",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319cc-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what-the-future",
        "000-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
    ] {
        assert_eq!(parent(wrong), None, "{wrong}");
    }
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known_and_sent_as_version_00() {
    for later in [
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09",
    ] {
        assert_eq!(parent(later).as_deref(), Some(TRACE), "{later}");
    }
}

fn state(headers: &[&str]) -> Option<String> {
    TraceState::parse(headers.iter().copied()).map(|state| state.to_string())
}

#[test]
fn tracestate_follows_the_specification() {
    assert_eq!(state(&["foo=1,bar=2"]).as_deref(), Some("foo=1,bar=2"));
    assert_eq!(state(&["foo=1", "bar=2"]).as_deref(), Some("foo=1,bar=2"));
    // Empty members and blanks around members.
    assert_eq!(state(&["foo=1 \t , \t bar=2, \t baz=3", "", ","]).as_deref(), Some("foo=1,bar=2,baz=3"));
    assert_eq!(state(&["foo=1 2"]).as_deref(), Some("foo=1 2"));
    assert_eq!(state(&["0a/b@v*-_/=1"]).as_deref(), Some("0a/b@v*-_/=1"));
    let (longest, too_long) = (format!("{}=1", "z".repeat(256)), format!("{}=1", "z".repeat(257)));
    assert_eq!(state(&[&longest]).as_deref(), Some(longest.as_str()));
    let tenant = |tenant: usize, system: usize| format!("{}@{}=1", "t".repeat(tenant), "v".repeat(system));
    assert!(state(&[&tenant(241, 14)]).is_some());
    let value = |len: usize| format!("a={}", "x".repeat(len));
    assert!(state(&[&value(256)]).is_some());
    let members = |count: usize| (0..count).map(|at| format!("k{at}=1")).collect::<Vec<_>>().join(",");
    assert!(state(&[&members(32)]).is_some());
    for wrong in [
        "foo",
        "foo=",
        "=1",
        "foo =1",
        "FOO=1",
        "foo.bar=1",
        "foo@=1,bar=2",
        "@foo=1",
        "foo@@bar=1",
        "foo@bar@baz=1",
        "foo=1,foo=2",
        "foo=b=r",
        "foo=\u{7f}",
        "0foo=1",
        "foo@0bar=1",
        "foo=é",
        &too_long,
        &tenant(242, 1),
        &tenant(1, 15),
        &value(257),
        &members(33),
    ] {
        assert_eq!(state(&[wrong]), None, "{wrong}");
    }
}

#[test]
fn baggage_follows_the_specification() {
    let text = |headers: &[&str]| Baggage::parse(headers.iter().copied()).to_string();
    assert_eq!(
        text(&["key1=value1,key2=value2;property1;property2,key3=value3;propertyKey=propertyValue"]),
        "key1=value1,key2=value2;property1;property2,key3=value3;propertyKey=propertyValue"
    );
    assert_eq!(text(&["k = v , b=", "c=3"]), "k=v,b=,c=3");
    assert_eq!(text(&["SomeKey = SomeValue ; ValueProp"]), "SomeKey=SomeValue;ValueProp");
    assert_eq!(text(&["a=1;x=;y;= ,b=2"]), "a=1;x=;y,b=2");
    // Members that are none are left out, and the others stay.
    assert_eq!(text(&["nothing,=1,a b=2,ok=1,q=\"x\",r=é,s=a\\b"]), "ok=1");
    let decoded = Baggage::parse(["a=%t%2C%20%C3%A9%FF%2", "b=a=b"]);
    assert_eq!(decoded.get("a"), Some("%t, é\u{fffd}%2"));
    assert_eq!(decoded.get("b"), Some("a=b"));
    assert_eq!(Baggage::parse([decoded.to_string().as_str()]), decoded);
    let many: Vec<_> = (0..100).map(|at| format!("k{at}=1")).collect();
    assert_eq!(Baggage::parse([many.join(",").as_str()]).members().len(), 64);
    let long = format!("a={},b={},c=1", "x".repeat(8000), "y".repeat(8000));
    assert_eq!(Baggage::parse([long.as_str()]).members().len(), 1);
    let full = Baggage::parse([format!("a={}", "x".repeat(8100)).as_str()]);
    assert_eq!(full.clone().with("b", &"y".repeat(200)), full);
    assert_eq!(full.clone().with("not a token", "1"), full);
    assert_eq!(Baggage::default().with("a", "1").with("a", "2").to_string(), "a=2");
}

fn incoming(headers: &[(&'static str, &'static str)]) -> Incoming {
    Incoming::of(|name| headers.iter().filter(|(key, _)| *key == name).map(|(_, value)| *value).collect())
}

fn header(headers: &[(&'static str, String)], name: &str) -> Option<String> {
    headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
}

#[test]
fn what_came_in_goes_out_in_the_same_trace() {
    let came = incoming(&[
        ("traceparent", TRACE),
        ("tracestate", "rojo=1,congo=2"),
        ("baggage", "userId=alice,decision_id=dec_20251026_123456_abc123"),
        ("x-correlation-id", "req-7"),
    ]);
    let (context, held) = came.enter();
    let out = context.run(outgoing);
    let parent: TraceParent = header(&out, "traceparent").unwrap().parse().unwrap();
    assert_eq!(Some(parent.trace_id), came.parent.map(|parent| parent.trace_id));
    assert_ne!(Some(parent.parent_id), came.parent.map(|parent| parent.parent_id));
    assert!(parent.sampled);
    assert_eq!(header(&out, "tracestate").as_deref(), Some("rojo=1,congo=2"));
    assert_eq!(header(&out, "x-correlation-id").as_deref(), Some("req-7"));
    assert_eq!(
        header(&out, "baggage").as_deref(),
        Some("userId=alice,decision_id=dec_20251026_123456_abc123,correlation_id=req-7")
    );
    let again = context.run(outgoing);
    assert_ne!(header(&out, "traceparent"), header(&again, "traceparent"));
    // The request is over: a task that outlives it keeps the trace, and not what strangers say to themselves.
    drop(held);
    let after = context.run(outgoing);
    assert_eq!(header(&after, "tracestate"), None);
    assert_eq!(header(&after, "traceparent").unwrap()[3..35], TRACE[3..35]);
}

#[test]
fn without_a_trace_the_decision_gives_the_trace_id() {
    let id = "dec_20251026_123456_abc123".parse().unwrap();
    let out = Context::empty().with_decision(id).run(outgoing);
    // printf dec_20251026_123456_abc123 | sha256sum | head -c 32
    assert_eq!(&header(&out, "traceparent").unwrap()[3..35], EXPECTED);
    assert_eq!(header(&out, "baggage").as_deref(), Some("decision_id=dec_20251026_123456_abc123"));
}

const EXPECTED: &str = "80bbdffa1152ac49e299bca3e865e65e";

#[test]
fn two_traceparents_are_none_and_tracestate_alone_is_nothing() {
    assert_eq!(incoming(&[("traceparent", TRACE), ("traceparent", TRACE)]).parent, None);
    assert!(incoming(&[("tracestate", "foo=1")]).state.is_empty());
    assert!(incoming(&[("traceparent", TRACE), ("tracestate", "foo=1,FOO")]).state.is_empty());
}

#[test]
fn a_request_without_a_correlation_id_gets_one_and_a_wrong_one_is_not_taken() {
    // S3-006
    let made = incoming(&[]);
    assert!(!made.correlated && made.correlation_id.starts_with("req_") && made.correlation_id.len() == 20);
    assert_ne!(incoming(&[]).correlation_id, made.correlation_id);
    assert_eq!(incoming(&[("x-request-id", "abc")]).correlation_id, "abc");
    assert_eq!(incoming(&[("x-request-id", "abc"), ("x-correlation-id", "d")]).correlation_id, "d");
    assert_eq!(incoming(&[("baggage", "correlation_id=req-9")]).correlation_id, "req-9");
    for wrong in ["", "a b", "a\"b", "a\nb", "é"] {
        let taken = Incoming::of(|name| if name == "x-correlation-id" { vec![wrong] } else { Vec::new() });
        assert!(!taken.correlated, "{wrong:?}");
    }
}

#[test]
fn a_decision_id_from_outside_must_be_one() {
    assert_eq!(incoming(&[("baggage", "decision_id=DROP TABLE")]).decision_id, None);
    assert_eq!(incoming(&[("baggage", "decision_id=dec_x")]).decision_id, None);
}

#[test]
fn baggage_without_a_trace_travels_on() {
    let (context, _held) = incoming(&[("baggage", "userId=alice")]).enter();
    let out = context.run(outgoing);
    assert!(header(&out, "baggage").unwrap().starts_with("userId=alice,correlation_id=req_"));
}

#[test]
fn full_baggage_makes_room_for_the_decision_and_stays_within_its_limits() {
    let id = "dec_20251026_123456_abc123".parse().unwrap();
    let many: Vec<_> = (0..64).map(|at| format!("k{at}=1")).collect();
    let long: Vec<_> = (0..4).map(|at| format!("k{at}={}", "x".repeat(2_040))).collect();
    // Each `%` that is no escape becomes three characters on the way out.
    let odd: Vec<_> = (0..4).map(|at| format!("k{at}={}", "%".repeat(2_000))).collect();
    for (members, foreign) in [(many, 62), (long, 3), (odd, 1)] {
        let came = Incoming::of(|name| match name {
            "traceparent" => vec![TRACE],
            "baggage" => members.iter().map(String::as_str).collect(),
            "x-correlation-id" => vec!["req-7"],
            _ => Vec::new(),
        });
        let (context, _held) = came.enter();
        let out = header(&context.with_decision(id).run(outgoing), "baggage").unwrap();
        assert!(out.len() <= 8_192, "{} bytes", out.len());
        let sent = Baggage::parse([out.as_str()]);
        assert_eq!(sent.members().len(), foreign + 2, "{out}");
        // The first of the others stay.
        assert!(
            sent.members()[..foreign].iter().enumerate().all(|(at, member)| member.key == format!("k{at}"))
        );
        assert_eq!(sent.get("decision_id"), Some("dec_20251026_123456_abc123"));
        assert_eq!(sent.get("correlation_id"), Some("req-7"));
    }
}

#[test]
fn an_id_of_ours_that_is_too_long_leaves_the_baggage_whole() {
    let context = Context::empty().with_correlation_id(&"x".repeat(9_000));
    assert_eq!(header(&context.run(outgoing), "baggage"), None);
    let two = Baggage::parse(["a=1,a=2"]);
    // Equal names are allowed, and stay; the first is asked.
    assert_eq!((two.get("a"), two.to_string().as_str()), (Some("1"), "a=1,a=2"));
}
