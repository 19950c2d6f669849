use std::collections::HashMap;

use tapelog::decision;

struct Books {
    by_symbol: HashMap<String, Vec<u32>>,
    last: Option<u32>,
}

impl Books {
    // tracing#2796
    #[decision(verdict = |result: &Result<&mut u32, String>| result.is_ok())]
    fn first(&mut self, symbol: &str) -> Result<&mut u32, String> {
        self.by_symbol.get_mut(symbol).and_then(|levels| levels.first_mut()).ok_or_else(|| "none".to_owned())
    }

    #[decision]
    fn either<'a>(&'a mut self, other: &'a mut u32, mine: bool) -> Result<&'a mut u32, ()> {
        if !mine {
            return Ok(other);
        }
        self.last.as_mut().ok_or(())
    }

    #[decision]
    fn both(&mut self) -> (Option<&mut u32>, &mut HashMap<String, Vec<u32>>) {
        (self.last.as_mut(), &mut self.by_symbol)
    }

    #[decision]
    fn alias(&self) -> std::io::Result<&u32> {
        self.last.as_ref().ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

#[decision]
fn longest<'a>(one: &'a str, two: &'a str) -> Result<&'a str, String> {
    Ok(if one.len() > two.len() { one } else { two })
}

fn main() {
    let mut books = Books { by_symbol: HashMap::from([("BTC".to_owned(), vec![1, 2])]), last: Some(3) };
    *books.first("BTC").unwrap() += 1;
    assert_eq!(books.first("BTC"), Ok(&mut 2));
    assert_eq!(books.either(&mut 4, false), Ok(&mut 4));
    assert!(books.both().0.is_some());
    assert_eq!(books.alias().unwrap(), &3);
    assert_eq!(longest("a", "bc").unwrap(), "bc");
}
