//! `tape completions` and `tape man`: what a shell and `man` want to know, from the description of the arguments.

use std::io::Write;
use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::args::Args;
use crate::failure::{Failure, Outcome};

/// Write completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape completions bash > /etc/bash_completion.d/tape
  tape completions zsh > \"${fpath[1]}/_tape\"
  tape completions fish > ~/.config/fish/completions/tape.fish")]
pub(crate) struct Completions {
    /// For which shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Write man pages, one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tape man ~/.local/share/man/man1 && man tape-trace
  tape man | man -l -                    the page of `tape` alone")]
pub(crate) struct Man {
    /// The folder that gets them; without one, the main page goes to stdout
    folder: Option<PathBuf>,
}

pub(crate) fn completions(args: &Completions, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "tape", &mut script);
    out.write_all(&script)?;
    Ok(Outcome::Fine)
}

pub(crate) fn man(args: &Man, out: &mut dyn Write) -> Result<Outcome, Failure> {
    let mut command = Args::command();
    command.build();
    let Some(folder) = &args.folder else {
        clap_mangen::Man::new(command).render(out)?;
        return Ok(Outcome::Fine);
    };
    let failed =
        |error: std::io::Error| Failure::Unusable(format!("cannot write `{}`: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut pages = vec![("tape".to_owned(), command.clone())];
    for sub in command.get_subcommands() {
        let name = format!("tape-{}", sub.get_name());
        // clap wants names that live as long as the program; this one ends soon.
        let named: &'static str = Box::leak(name.clone().into_boxed_str());
        pages.push((name, sub.clone().name(named).bin_name(named)));
    }
    for (name, command) in &pages {
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone()).render(&mut page)?;
        std::fs::write(folder.join(format!("{name}.1")), page).map_err(failed)?;
    }
    writeln!(out, "{} pages in {}", pages.len(), folder.display())?;
    Ok(Outcome::Fine)
}
