use tapelog::decision;

#[decision]
unsafe fn read(pointer: *const u32) -> Result<u32, String> {
    Ok(unsafe { *pointer })
}

#[decision]
async unsafe fn read_async(pointer: *const u32) -> Result<u32, String> {
    Ok(unsafe { *pointer })
}

#[decision]
extern "C" fn called_from_c(a: u32) -> u32 {
    a
}

#[decision]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tapelog_ui_exported(a: u32) -> Alias {
    Ok(a)
}

type Alias = Result<u32, u8>;

#[allow(unsafe_op_in_unsafe_fn)]
#[decision]
unsafe fn implicit(pointer: *const u32) -> Result<u32, String> {
    Ok(*pointer)
}

#[allow(unsafe_op_in_unsafe_fn)]
#[decision]
async unsafe fn implicit_async(pointer: *const u32) -> Result<u32, String> {
    Ok(*pointer)
}

fn main() {
    let value = 3;
    assert_eq!(unsafe { read(&value) }, Ok(3));
    assert_eq!(unsafe { implicit(&value) }, Ok(3));
    drop(unsafe { read_async(&value) });
    drop(unsafe { implicit_async(&value) });
    assert_eq!(called_from_c(1), 1);
    assert_eq!(unsafe { tapelog_ui_exported(1) }, Ok(1));
}
