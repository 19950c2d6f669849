use tapelog::decision;

#[decision]
#[unsafe(naked)]
extern "C" fn naked() {
    std::arch::naked_asm!("ret")
}

fn main() {
    naked();
}
