use tapelog::decision;

struct Router;

#[decision(kind = "buy", colour = 3)]
impl Router {
    fn place(&self) {}
}

fn main() {
    Router.place();
}
