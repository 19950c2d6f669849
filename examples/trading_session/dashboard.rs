//! The dashboard: a bus on which the engine posts what happened, and a thread that keeps the board.
//!
//! Invariant: posting never waits. A post brings the context along in which it was made, so that what the board records
//! belongs to the decision that caused it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use tapelog::{Context, event};

use crate::events::BOARD_UPDATED;
use crate::progress::Live;

/// What the engine tells the dashboard.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Post {
    /// An order went to the router.
    Sent,
    /// It came back.
    Reported,
    Bought {
        notional: f64,
    },
    Sold {
        pnl: f64,
        whole: bool,
    },
}

/// The sending end.
#[derive(Clone, Debug)]
pub(crate) struct Bus {
    posts: Sender<(Post, Context)>,
}

impl Bus {
    /// A bus, and what the dashboard listens to.
    pub(crate) fn new() -> (Self, Receiver<(Post, Context)>) {
        let (posts, received) = channel();
        (Self { posts }, received)
    }

    pub(crate) fn post(&self, post: Post) {
        // A dashboard that went away must not stop the engine.
        let _ = self.posts.send((post, Context::current()));
    }
}

/// What the board shows.
#[derive(Clone, Copy, Debug, Default)]
struct Board {
    open_orders: u64,
    open_positions: u64,
    bought: f64,
    pnl: f64,
}

/// Starts the dashboard's thread; it ends when the last bus is dropped.
pub(crate) fn start(
    posts: Receiver<(Post, Context)>,
    live: &'static Live,
) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name("dashboard".to_owned()).spawn(move || {
        let mut board = Board::default();
        for (post, context) in posts {
            let _attached = context.attach();
            board.take(post);
            live.show(board.open_orders, board.open_positions);
        }
    })
}

impl Board {
    fn take(&mut self, post: Post) {
        match post {
            Post::Sent => {
                self.open_orders += 1;
                return;
            }
            Post::Reported => {
                self.open_orders -= 1;
                return;
            }
            Post::Bought { notional } => {
                self.open_positions += 1;
                self.bought += notional;
            }
            Post::Sold { pnl, whole } => {
                self.open_positions -= u64::from(whole);
                self.pnl += pnl;
            }
        }
        event!(
            BOARD_UPDATED,
            open_positions = self.open_positions,
            bought = self.bought,
            pnl = self.pnl,
            "{open_positions} open, {pnl:.4} made"
        );
    }
}
