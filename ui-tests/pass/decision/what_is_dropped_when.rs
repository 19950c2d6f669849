use std::cell::RefCell;

use tapelog::decision;

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

struct Loud(&'static str);

impl Drop for Loud {
    fn drop(&mut self) {
        DROPPED.with(|dropped| dropped.borrow_mut().push(self.0));
    }
}

fn plain(_first: Loud, second: Loud, _: Loud) -> Result<(), ()> {
    let _local = Loud("local");
    let _ = &second;
    Ok(())
}

#[decision]
fn annotated(_first: Loud, second: Loud, _: Loud) -> Result<(), ()> {
    let _local = Loud("local");
    let _ = &second;
    Ok(())
}

fn plain_in_place(_first: Loud, second: Loud) {
    let _local = Loud("local");
    drop(second);
}

#[decision]
fn in_place(_first: Loud, second: Loud) {
    let _local = Loud("local");
    drop(second);
}

fn order(body: impl FnOnce()) -> Vec<&'static str> {
    body();
    DROPPED.with(RefCell::take)
}

fn main() {
    let three = || (Loud("first"), Loud("second"), Loud("third"));
    let (a, b, c) = three();
    let plainly = order(|| plain(a, b, c).unwrap());
    let (a, b, c) = three();
    assert_eq!(order(|| annotated(a, b, c).unwrap()), plainly);
    let plainly = order(|| plain_in_place(Loud("first"), Loud("second")));
    assert_eq!(order(|| in_place(Loud("first"), Loud("second"))), plainly);
}
