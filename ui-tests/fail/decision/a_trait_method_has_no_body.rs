use tapelog::decision;

trait Strategy {
    #[decision(kind = "buy")]
    fn evaluate(&self) -> bool;
}

struct Simple;

impl Strategy for Simple {
    fn evaluate(&self) -> bool {
        true
    }
}

fn main() {
    Simple.evaluate();
}
