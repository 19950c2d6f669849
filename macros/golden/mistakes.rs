#[must_use]
fn f(a: u32) -> u32 {
    a
}
::core::compile_error! {
    "unknown key `knd`; did you mean `kind`?"
}
::core::compile_error! {
    "`fields` is empty; remove it, or name something; write `fields(a, b = expr)`"
}
