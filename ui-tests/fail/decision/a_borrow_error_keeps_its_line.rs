use tapelog::decision;

#[decision]
fn twice(items: &mut Vec<u32>) -> Result<&mut u32, String> {
    let first = &mut items[0];
    let second = &mut items[1];
    *first += *second;
    Ok(first)
}

fn main() {
    let _ = twice(&mut vec![1, 2]).is_ok();
}
