//! Which database, and how to get in: an address without a password, which comes from a file or the environment.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use url::Url;

use super::{error, tls};
use crate::destination::SendError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A database's address. Its text never shows the password.
///
/// ```
/// use tapelog_ship::postgres::{Address, AddressError};
///
/// let address = Address::parse("postgresql://tape@localhost/trading")?.password("from a vault");
/// assert_eq!(address.to_string(), "postgresql://tape@localhost/trading");
/// let error: AddressError = Address::parse("postgresql://tape:hunter2@localhost/trading").expect_err("no password in an address");
/// assert!(!error.to_string().contains("hunter2"));
/// # Ok::<(), AddressError>(())
/// ```
#[derive(Clone)]
pub struct Address {
    config: Config,
    shown: String,
    authority: Option<PathBuf>,
}

impl Address {
    /// Reads `postgresql://user@host:port/database?sslmode=…&sslrootcert=…`.
    ///
    /// Whatever is not loopback is encrypted, and its certificate checked, unless `sslmode=disable` says otherwise.
    ///
    /// # Errors
    /// When it is no such address, or when it holds a password: those stand in `PGPASSWORD`, `PGPASSFILE` or `~/.pgpass`.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let mut url = Url::parse(text).map_err(|error| AddressError(format!("no address: {error}")))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(AddressError(format!(
                "`{}:` is not PostgreSQL; write `postgresql://user@host/database`",
                url.scheme()
            )));
        }
        if url.password().is_some() {
            return Err(AddressError(
                "a password in the address can be read by everyone in the list of processes; \
                 put it in `PGPASSWORD`, `PGPASSFILE` or `~/.pgpass`"
                    .to_owned(),
            ));
        }
        let authority =
            url.query_pairs().find(|(key, _)| key == "sslrootcert").map(|(_, path)| PathBuf::from(&*path));
        let mode = url.query_pairs().find(|(key, _)| key == "sslmode").map(|(_, mode)| mode.into_owned());
        let rest: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(key, _)| key != "sslrootcert" && key != "sslmode")
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        let mut config: Config =
            url.as_str().parse().map_err(|error| AddressError(format!("no address: {error}")))?;
        config.ssl_mode(match mode.as_deref() {
            None if is_local(&config) => SslMode::Disable,
            None | Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            Some("disable") => SslMode::Disable,
            Some(mode) => {
                return Err(AddressError(format!(
                    "`sslmode={mode}` is not one of `disable`, `require`, `verify-full`"
                )));
            }
        });
        config.connect_timeout(CONNECT_TIMEOUT);
        // A server that vanished without a word is noticed within a minute.
        config
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3);
        config.tcp_user_timeout(Duration::from_secs(60));
        config.application_name("tape ship");
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(AddressError("no database; write `postgresql://user@host/database`".to_owned()));
        }
        if config.get_user().is_none_or(str::is_empty) {
            let user = std::env::var("PGUSER").or_else(|_| std::env::var("USER")).unwrap_or_default();
            config.user(&user);
        }
        url.set_query(None);
        Ok(Self { config, shown: url.to_string(), authority })
    }

    /// The same, with a password: for engines that have it from a vault.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.config.password(password);
        self
    }

    pub(super) fn connect(&self) -> Result<Client, SendError> {
        let mut config = self.config.clone();
        if config.get_password().is_none()
            && let Some(password) = self.known_password()
        {
            config.password(password);
        }
        let client = if config.get_ssl_mode() == SslMode::Disable {
            config.connect(NoTls)
        } else {
            config.connect(tls::connector(self.authority.as_deref())?)
        };
        client.map_err(|error| error::classify(&error))
    }

    /// `PGPASSWORD`, else the line of `PGPASSFILE` or `~/.pgpass` that fits; read anew for each connection, so that it may be
    /// changed while the shipper runs.
    fn known_password(&self) -> Option<String> {
        if let Ok(password) = std::env::var("PGPASSWORD") {
            return Some(password);
        }
        let file = std::env::var_os("PGPASSFILE")
            .map(PathBuf::from)
            .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".pgpass")))?;
        let text = std::fs::read_to_string(file).ok()?;
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            _ => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432).to_string();
        let wanted = [&host, &port, self.config.get_dbname()?, self.config.get_user()?];
        text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let mut fields = split_pgpass(line);
            let password = (fields.len() == 5).then(|| fields.pop()).flatten()?;
            fields
                .iter()
                .zip(wanted)
                .all(|(field, wanted)| field == "*" || field == wanted)
                .then_some(password)
        })
    }
}

/// The fields of a line of `.pgpass`: colons between, `\:` and `\\` for the characters themselves.
fn split_pgpass(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            ':' => {
                fields.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        };
        if let Some(field) = fields.last_mut() {
            field.push(c);
        }
    }
    fields
}

fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.shown)
    }
}

/// Why a text is not the address of a database. Never holds the text itself: it may have a password in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError(String);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str) -> SslMode {
        Address::parse(text).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn whatever_is_not_loopback_is_encrypted_unless_told() {
        assert_eq!(mode("postgresql://u@localhost/db"), SslMode::Disable);
        assert_eq!(mode("postgresql://u@127.0.0.1/db"), SslMode::Disable);
        assert_eq!(mode("postgresql://u@db.example/db"), SslMode::Require);
        assert_eq!(mode("postgresql://u@db.example/db?sslmode=disable"), SslMode::Disable);
        let error = Address::parse("postgresql://u@h/db?sslmode=prefer").unwrap_err();
        assert!(error.to_string().contains("not one of"), "{error}");
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let error = Address::parse("postgresql://u:canary-7@h/db").unwrap_err().to_string();
        assert!(error.contains("PGPASSWORD") && !error.contains("canary"), "{error}");
        let shown = Address::parse("postgresql://u@h/db").unwrap().password("canary-7");
        assert!(!format!("{shown} {shown:?}").contains("canary"));
    }

    #[test]
    fn pgpass_knows_escapes() {
        assert_eq!(split_pgpass(r"h:5432:*:u:a\:b\\c"), ["h", "5432", "*", "u", r"a:b\c"]);
    }
}
