use tapelog::{Value, event, events::*};

#[derive(Clone, Copy, Value)]
enum Tif {
    IOC,
    Fok,
    GoodTillCancel,
    #[value(rename = "day")]
    Session,
}

#[derive(Value)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    LimitMaker,
    Tuple(u32),
    Pair(u32, String),
    Named { px: f64, #[value(rename = "n")] count: u32 },
    #[allow(dead_code)]
    Empty {},
    NoFields(),
}

#[derive(Value)]
struct Px(f64);

#[derive(Value)]
struct Level(f64, u32);

#[derive(Value)]
struct Marker;

#[derive(Value)]
struct Quote<'a, T: ?Sized, const N: usize> {
    px: Px,
    levels: [Level; N],
    symbol: &'a T,
    #[value(skip)]
    #[allow(dead_code)]
    secret: String,
    #[value(display)]
    shown: std::net::Ipv4Addr,
    #[value(debug)]
    debugged: std::time::Duration,
    r#type: Tif,
    maker: Option<Marker>,
}

#[derive(Value)]
enum Tree {
    Leaf(u32),
    Node(Vec<Tree>),
}

fn main() {
    let quote = Quote::<str, 1> {
        px: Px(1.0),
        levels: [Level(1.0, 2)],
        symbol: "BTC",
        secret: String::new(),
        shown: std::net::Ipv4Addr::LOCALHOST,
        debugged: std::time::Duration::ZERO,
        r#type: Tif::IOC,
        maker: Some(Marker),
    };
    event!(BUY_BLOCKED, quote, tif = [Tif::Fok, Tif::GoodTillCancel, Tif::Session]);
    event!(BUY_BLOCKED, kinds = [Kind::LimitMaker, Kind::Tuple(1), Kind::NoFields()]);
    event!(BUY_BLOCKED, kinds = [Kind::Pair(1, String::new()), Kind::Named { px: 1.0, count: 1 }]);
    event!(BUY_BLOCKED, tree = Tree::Node(vec![Tree::Leaf(1)]));
}
