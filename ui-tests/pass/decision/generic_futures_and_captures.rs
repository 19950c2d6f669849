use tapelog::decision;

struct Client<T>(T);

impl<T: Sync + Send + Clone> Client<T> {
    #[decision]
    async fn call<'a, U, F, Fut>(&'a self, with: &'a U, f: F) -> Result<Fut::Output, String>
    where
        U: Sync + ?Sized,
        F: FnOnce(&'a T, &'a U) -> Fut + Send,
        Fut: Future + Send,
    {
        Ok(f(&self.0, with).await)
    }

    #[decision]
    fn stream(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::repeat_n(self.0.clone(), 2)
    }
}

fn is_send<T: Send>(_: &T) {}

fn main() {
    let client = Client(1);
    let future = client.call("x", |a, b| std::future::ready(*a + b.len()));
    is_send(&future);
    drop(future);
    assert_eq!(client.stream().count(), 2);
}
