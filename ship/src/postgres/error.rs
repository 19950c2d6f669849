//! What a database's refusal means: the data, the set-up, or the moment. Words never hold credentials: PostgreSQL's do not.

use std::error::Error as _;

use postgres::Error;

use crate::destination::SendError;

/// Whether some row is to blame: data exceptions and integrity violations.
pub(super) fn is_of_the_data(error: &Error) -> bool {
    error.code().is_some_and(|code| matches!(&code.code()[..2], "22" | "23"))
}

/// Whether trying again may help, or somebody has to act.
pub(super) fn classify(error: &Error) -> SendError {
    let reason = describe(error);
    let Some(code) = error.code() else { return connection(reason) };
    match &code.code()[..2] {
        // Authorisation, catalogue names, syntax and access rules, missing schema.
        "28" | "3D" | "3F" | "42" => SendError::misconfigured(format!("{reason}; {}", advice(code.code()))),
        _ => SendError::unavailable(reason),
    }
}

/// Without a code the server has not spoken: the connection failed. Certificates do not mend themselves.
fn connection(reason: String) -> SendError {
    if reason.contains("invalid peer certificate") {
        return SendError::misconfigured(format!(
            "{reason}; name the authority with `sslrootcert=FILE`, and the server as its certificate does"
        ));
    }
    if reason.contains("does not support TLS") {
        return SendError::misconfigured(format!(
            "{reason}; turn on `ssl` there, or add `sslmode=disable` if nobody else can listen"
        ));
    }
    SendError::unavailable(reason)
}

fn advice(code: &str) -> &'static str {
    match &code[..2] {
        "28" => "check the user, and the password in `PGPASSWORD`, `PGPASSFILE` or `~/.pgpass`",
        "3D" => "create the database first: `createdb NAME`",
        _ if code == "42501" => {
            "grant the user `CREATE` on the database, or let its owner run `tape ship` once"
        }
        _ => "the schema `logging` is not as `tape ship` made it; restore it, or ship to an empty database",
    }
}

/// The server's words, with their code, or the connection's.
pub(super) fn describe(error: &Error) -> String {
    if let Some(server) = error.as_db_error() {
        let mut text = format!("{} ({})", server.message(), server.code().code());
        for more in
            [server.detail(), server.where_().and_then(|place| place.lines().next())].into_iter().flatten()
        {
            text.push_str("; ");
            text.push_str(more);
        }
        return text;
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
