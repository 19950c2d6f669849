#![deny(warnings)]

use tapelog::decision;

#[decision(fields(n = items.len()))]
fn moved_into_a_thread(items: Vec<u32>) -> Result<u32, String> {
    std::thread::spawn(move || items.iter().sum()).join().map_err(|_| "panicked".to_owned())
}

#[decision]
fn scoped(items: &mut [u32]) -> Result<(), String> {
    std::thread::scope(|scope| {
        for item in items.iter_mut() {
            scope.spawn(move || *item += 1);
        }
    });
    Ok(())
}

#[decision]
fn called_back(mut on: impl FnMut(u32) -> Result<(), String>) -> Result<(), String> {
    (0..3).try_for_each(|i| on(i))
}

#[decision]
fn partly_moved((name, rest): (String, Vec<String>)) -> Result<String, String> {
    let whole = rest.into_iter().fold(name, |all, one| all + &one);
    Ok(whole)
}

fn main() {
    assert_eq!(moved_into_a_thread(vec![1, 2]), Ok(3));
    let mut items = [1, 2];
    scoped(&mut items).unwrap();
    assert_eq!(items, [2, 3]);
    let mut sum = 0;
    called_back(|i| {
        sum += i;
        Ok(())
    })
    .unwrap();
    assert_eq!(sum, 3);
    assert_eq!(partly_moved(("a".into(), vec!["b".into()])).unwrap(), "ab");
}
