//! The command `tape`. All it does is in the library; this is the process around it.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use tapelog_cli::Terminal;

fn main() -> ExitCode {
    let stdout = io::stdout();
    let terminal = Terminal::of_process(stdout.is_terminal());
    // Not line by line: a trace may have thousands.
    let mut out = io::BufWriter::new(stdout.lock());
    let code = tapelog_cli::run(std::env::args_os(), &mut out, &mut io::stderr().lock(), terminal);
    // Whoever closed the pipe has seen enough; what `run` found still holds.
    let _ = out.flush();
    ExitCode::from(code)
}
