use std::pin::Pin;

use tapelog::decision;

#[decision(fields(n))]
fn factorial(n: u64) -> Result<u64, String> {
    if n == 0 { Ok(1) } else { Ok(n * factorial(n - 1)?) }
}

#[decision]
fn outer(n: u64) -> Result<u64, String> {
    #[decision]
    fn inner(n: u64) -> Result<u64, String> {
        Ok(n)
    }
    struct Local(u64);
    impl Local {
        #[decision]
        fn get(&self) -> u64 {
            self.0
        }
    }
    Ok(inner(n)? + Local(1).get())
}

#[decision]
fn count(n: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move { if n == 0 { 0 } else { 1 + count(n - 1).await } })
}

#[decision]
async fn boxed_recursion(n: u64) -> u64 {
    if n == 0 { 0 } else { 1 + Box::pin(boxed_recursion(n - 1)).await }
}

fn main() {
    assert_eq!(factorial(5), Ok(120));
    assert_eq!(outer(1), Ok(2));
    drop(count(3));
    drop(boxed_recursion(3));
}
