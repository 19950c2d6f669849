use tapelog::log_performance;

struct Router;

#[log_performance(memry)]
impl Router {
    fn one(&self) {}
    fn two(&self) {}
}

fn main() {
    Router.one();
    Router.two();
}
