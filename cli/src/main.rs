//! The command `tape`. All it does is in the library; this is the process around it.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use tapelog_cli::Terminal;

fn main() -> ExitCode {
    keep_freed_memory();
    let stdout = io::stdout();
    let terminal = Terminal::of_process(stdout.is_terminal());
    // Not line by line: a trace may have thousands.
    let mut out = io::BufWriter::new(stdout.lock());
    let code = tapelog_cli::run(std::env::args_os(), &mut out, &mut io::stderr().lock(), terminal);
    // Whoever closed the pipe has seen enough; what `run` found still holds.
    let _ = out.flush();
    ExitCode::from(code)
}

/// What one segment needed serves the next: given back each time, its pages would be cleared anew, which is a fifth of a
/// trace by index. No more than some MiB are kept so.
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (what, bytes) in
        [(libc::M_MMAP_THRESHOLD, 1 << 20), (libc::M_TRIM_THRESHOLD, 4 << 20), (libc::M_TOP_PAD, 256 << 10)]
    {
        // SAFETY: the three settings take any size, and no other thread runs yet. One that is refused changes nothing.
        unsafe { libc::mallopt(what, bytes) };
    }
}
