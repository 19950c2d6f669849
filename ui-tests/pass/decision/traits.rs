use tapelog::decision;

trait Strategy {
    const NAME: &'static str;
    type Error;

    #[decision(kind = "default", fields(name = Self::NAME))]
    fn evaluate(&self, px: f64) -> Result<f64, Self::Error> {
        Ok(px * 2.0)
    }

    fn required(&mut self) -> Result<&mut u32, Self::Error>;

    #[decision]
    fn sized(self) -> Result<Self, Self::Error>
    where
        Self: Sized,
    {
        Ok(self)
    }

    fn asynchronous(&self) -> impl Future<Output = u32> + Send;

    async fn in_trait(&self) -> Result<u32, String>;
}

struct Simple(u32);

impl Strategy for Simple {
    const NAME: &'static str = "simple";
    type Error = String;

    #[decision]
    fn required(&mut self) -> Result<&mut u32, Self::Error> {
        Ok(&mut self.0)
    }

    #[decision]
    fn asynchronous(&self) -> impl Future<Output = u32> + Send {
        let value = self.0;
        async move { value }
    }

    #[decision]
    async fn in_trait(&self) -> Result<u32, String> {
        Ok(self.0)
    }
}

impl std::str::FromStr for Simple {
    type Err = std::num::ParseIntError;

    #[decision]
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.parse()?))
    }
}

impl Iterator for Simple {
    type Item = u32;

    #[decision]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.checked_sub(1).inspect(|left| self.0 = *left)
    }
}

impl Drop for Simple {
    #[decision]
    fn drop(&mut self) {
        self.0 = 0;
    }
}

fn main() {
    let mut simple: Simple = "3".parse().unwrap();
    assert_eq!(simple.evaluate(1.0), Ok(2.0));
    *simple.required().unwrap() += 1;
    drop(simple.asynchronous());
    drop(simple.in_trait());
    assert_eq!(simple.sized().unwrap().by_ref().count(), 4);
}
