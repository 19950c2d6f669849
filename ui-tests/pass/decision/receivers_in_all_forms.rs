use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use tapelog::decision;

#[derive(Clone)]
struct Book(u32);

impl Book {
    #[decision]
    fn by_value(self) -> Result<u32, ()> {
        Ok(self.0)
    }
    #[decision]
    fn by_mut_value(mut self) -> Result<Self, ()> {
        self.0 += 1;
        Ok(self)
    }
    #[decision]
    fn by_ref(&self) -> Result<&u32, ()> {
        Ok(&self.0)
    }
    #[decision]
    fn by_mut(&mut self) -> Result<&mut u32, ()> {
        self.0 += 1;
        Ok(&mut self.0)
    }
    #[decision]
    fn by_lifetime<'a>(&'a mut self, _other: &u32) -> Result<&'a mut u32, ()> {
        Ok(&mut self.0)
    }
    #[decision]
    fn boxed(self: Box<Self>) -> Result<u32, ()> {
        Ok(self.0)
    }
    #[decision]
    fn counted(self: Rc<Self>) -> Result<u32, ()> {
        Ok(self.0)
    }
    #[decision]
    fn shared(self: &Arc<Self>) -> Result<u32, ()> {
        Ok(self.0)
    }
    #[decision]
    fn pinned(self: Pin<&mut Self>) -> Result<u32, ()> {
        Ok(self.0)
    }
    #[decision]
    fn typed_mut<'a>(mut self: &'a mut Self, other: &'a mut Self) -> Result<&'a mut u32, ()> {
        if other.0 > self.0 {
            self = other;
        }
        Ok(&mut self.0)
    }
    #[decision]
    async fn by_ref_async(&self) -> Result<&u32, ()> {
        Ok(&self.0)
    }
    #[decision]
    async fn by_value_async(mut self) -> Result<Self, ()> {
        self.0 += 1;
        Ok(self)
    }
    #[decision]
    async fn by_mut_async(&mut self) -> Result<&mut u32, ()> {
        Ok(&mut self.0)
    }
}

fn main() {
    let mut book = Book(1);
    assert_eq!(book.clone().by_value(), Ok(1));
    assert_eq!(book.clone().by_mut_value().map(|book| book.0), Ok(2));
    assert_eq!(book.by_ref(), Ok(&1));
    *book.by_mut().unwrap() += 1;
    *book.by_lifetime(&1).unwrap() += 1;
    assert_eq!(book.0, 4);
    assert_eq!(Box::new(book.clone()).boxed(), Ok(4));
    assert_eq!(Rc::new(book.clone()).counted(), Ok(4));
    assert_eq!(Arc::new(book.clone()).shared(), Ok(4));
    assert_eq!(Pin::new(&mut book).pinned(), Ok(4));
    assert_eq!(book.typed_mut(&mut Book(9)), Ok(&mut 9));
    drop(book.by_ref_async());
    drop(book.by_mut_async());
    drop(book.by_value_async());
}
