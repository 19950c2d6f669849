//! A WebSocket that says what happens to it, and connects again (S3-015).

mod connection;
mod socket;

pub use connection::Connection;
pub use socket::Socket;
