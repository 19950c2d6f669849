use tapelog::log_performance;

struct Book<'a, T, const N: usize> {
    levels: [&'a T; N],
}

#[log_performance(args(n = N))]
impl<'a, T, const N: usize> Book<'a, T, N>
where
    T: Clone + std::fmt::Display,
{
    fn best(&self) -> Result<&'a T, String> {
        self.levels.first().copied().ok_or_else(String::new)
    }

    async fn shown(&self) -> Vec<String> {
        self.levels.iter().map(ToString::to_string).collect()
    }

    fn into_owned(self) -> [T; N] {
        self.levels.map(Clone::clone)
    }
}

fn main() {
    let book = Book { levels: [&1, &2] };
    assert_eq!(book.best(), Ok(&1));
    drop(book.shown());
    assert_eq!(book.into_owned(), [1, 2]);
}
