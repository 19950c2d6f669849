use tapelog::decision;

#[decision]
fn question_mark(text: &str) -> Result<u32, Box<dyn std::error::Error>> {
    let number: u32 = text.parse()?;
    if number == 0 {
        return Err("zero".into());
    }
    let from_block = 'found: {
        if number > 10 {
            break 'found number;
        }
        loop {
            break 1;
        }
    };
    let Some(rest) = number.checked_sub(from_block) else { return Ok(0) };
    for i in 0..10 {
        if i == rest {
            return Ok(i);
        }
        continue;
    }
    Err("none")?
}

#[decision]
async fn question_mark_async(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    let number: u32 = text.parse()?;
    if number == 0 {
        return Err("zero".into());
    }
    async { Err::<u32, _>("inner") }.await?;
    Ok(number)
}

fn main() {
    assert!(question_mark("x").is_err());
    assert!(question_mark("0").is_err());
    assert_eq!(question_mark("3").unwrap(), 2);
    drop(question_mark_async("1"));
}
