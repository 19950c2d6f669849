use std::cell::RefCell;
use std::sync::Mutex;

use tapelog::decision;

#[decision]
fn borrowed(cell: &RefCell<Vec<u32>>) -> Result<usize, String> {
    Ok(cell.borrow().len())
}

#[decision]
fn owned(cell: RefCell<Vec<u32>>) -> Result<Option<u32>, String> {
    cell.borrow().first().copied().map(Some).ok_or_else(String::new)
}

#[decision]
fn in_place(mutex: Mutex<u32>) -> u32 {
    *mutex.lock().unwrap()
}

#[decision]
fn matched(mutex: &Mutex<Option<u32>>) -> Result<u32, String> {
    match mutex.lock().unwrap().as_ref() {
        Some(value) => Ok(*value),
        None => Err(String::new()),
    }
}

#[decision]
async fn asynchronous(mutex: &Mutex<Option<u32>>) -> Result<u32, String> {
    match mutex.lock().unwrap().as_ref() {
        Some(value) => Ok(*value),
        None => Err(String::new()),
    }
}

fn main() {
    assert_eq!(borrowed(&RefCell::new(vec![1])), Ok(1));
    assert_eq!(owned(RefCell::new(vec![1])), Ok(Some(1)));
    assert_eq!(in_place(Mutex::new(1)), 1);
    assert_eq!(matched(&Mutex::new(Some(1))), Ok(1));
    drop(asynchronous(&Mutex::new(None)));
}
