//! What is behind a dot is looked at where it is: neither more may be borrowed for it than before, nor for longer.
#![deny(warnings)]

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex};

use tapelog::{event, events::*};

#[derive(Default)]
struct Order {
    id: u64,
    symbol: String,
    qty: f64,
    px: f64,
    level: (u32, (u32, u32)),
    fills: Vec<u32>,
    owner: Box<String>,
}

#[derive(Default)]
struct Book {
    order: Order,
    best: f64,
    count: u32,
    depth: usize,
}

impl Book {
    fn shared(&self) {
        event!(BUY_BLOCKED, self.best, self.count, self.depth, id = self.order.id, order_symbol = self.order.symbol);
    }

    fn exclusive(&mut self) -> &mut Order {
        let order = &mut self.order;
        event!(BUY_BLOCKED, self.best, self.count, self.depth, best_again = self.best);
        order.qty = 1.0;
        for fill in self.order.fills.iter_mut() {
            event!(BUY_BLOCKED, self.best, self.order.id, self.order.qty, self.order.px, fill);
            *fill += 1;
        }
        &mut self.order
    }

    fn owned(self) -> String {
        event!(BUY_BLOCKED, self.best, self.order.id, self.order.symbol, first = self.order.level.0, deep = self.order.level.1.1);
        self.order.symbol
    }
}

fn moved_in_part(order: Order) -> (String, Vec<u32>) {
    let symbol = order.symbol;
    event!(BUY_BLOCKED, order.id, order.qty, order.px, first = order.level.0, owner = order.owner, symbol);
    (symbol, order.fills)
}

fn captured(order: Order) -> impl FnOnce() -> String {
    move || {
        event!(BUY_BLOCKED, order.id, order.qty, order.px, first = order.level.0, order.symbol);
        order.symbol
    }
}

fn generic<T: Deref<Target = Order>>(order: T) {
    event!(BUY_BLOCKED, order.id, order.qty, order.px, order.symbol, shown = %order.symbol, listed = ?order.fills);
}

async fn asynchronous(order: Order) -> f64 {
    event!(BUY_BLOCKED, order.id, order.qty, order.px, order.symbol);
    std::future::ready(()).await;
    event!(BUY_BLOCKED, order.id, order.qty, order.px, order.symbol, "{symbol}");
    order.qty
}

fn is_send<T: Send>(value: T) -> T {
    value
}

macro_rules! wrapped {
    ($order:ident, $px:expr) => {{
        let inner = 1;
        event!(BUY_BLOCKED, a = $order.id, b = $order.qty, c = $px, d = $order.level.0, inner, "{inner}")
    }};
}

static LIMITS: LazyLock<Order> = LazyLock::new(|| {
    event!(BUY_BLOCKED, "before");
    Order::default()
});

fn main() {
    let mut book = Book::default();
    book.shared();
    book.exclusive().px = 2.0;
    book.owned();
    moved_in_part(Order::default());
    captured(Order::default())();
    generic(Box::new(Order::default()));
    generic(Rc::new(Order::default()));
    generic(Arc::new(Order::default()));
    let locked = Mutex::new(Order::default());
    generic(locked.lock().unwrap());
    let cell = RefCell::new(Order::default());
    generic(cell.borrow_mut());
    event!(BUY_BLOCKED, LIMITS.id, LIMITS.qty, LIMITS.px, LIMITS.symbol);
    drop(is_send(asynchronous(Order::default())));
    let order = Order::default();
    wrapped!(order, order.px);
    // More than a tuple holds, of both kinds.
    let (a, b, c) = (1, 2.0, "3");
    event!(
        BUY_BLOCKED, a, b, c, order.id, order.qty, order.px, order.symbol,
        d = order.id, e = order.qty, f = order.px, g = order.symbol,
        h = order.id, i = order.qty, j = order.px, k = order.symbol,
        l = order.level.0, m = order.level.1.0, n = order.level.1.1, o = order.fills, p = order.owner,
    );
}
