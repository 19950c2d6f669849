//! The parent's side: starts contestants, asks them in turn, collects what they answer.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::files::Folder;

/// How long the machine is left alone before each question: longer than any recorder takes to write one burst.
const PAUSE: Duration = Duration::from_millis(20);

/// One contestant's process.
#[derive(Debug)]
pub struct Runner {
    /// Its name.
    pub name: &'static str,
    /// Everything it has answered.
    pub samples: Vec<f64>,
    /// Its files.
    pub folder: Folder,
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Runner {
    /// Starts the contestant of this name.
    pub fn start(name: &'static str) -> Self {
        let folder = Folder::new(name);
        let program = std::env::current_exe().expect("our own path");
        let mut child = Command::new(program)
            .args(["child", name])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let ask = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { name, samples: Vec::new(), folder, child, ask, answers }
    }

    /// Asks, and waits for the answer.
    pub fn ask(&mut self, question: &str) -> Vec<f64> {
        let pipe = self.ask.as_mut().expect("open until dropped");
        writeln!(pipe, "{question}").expect("the child listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the child answers");
        let numbers: Vec<_> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert!(!numbers.is_empty(), "{} died when asked for {question}", self.name);
        numbers
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        drop(self.ask.take());
        // Its files go next; how it ended changes nothing.
        let _ = self.child.wait();
    }
}

/// Starts all of them.
pub fn start(names: &[&'static str]) -> Vec<Runner> {
    names.iter().map(|name| Runner::start(name)).collect()
}

/// Asks all of them the same question, in turn, so many times over, and collects the answers. The first round warms up.
pub fn ask_all(runners: &mut [Runner], question: &str, rounds: usize) {
    runners.iter_mut().for_each(|runner| runner.samples.clear());
    for round in 0..=rounds {
        for runner in &mut *runners {
            std::thread::sleep(PAUSE);
            let answer = runner.ask(question);
            if round > 0 {
                runner.samples.extend(answer);
            }
        }
    }
}

/// All that one contestant answered, for each question.
#[derive(Debug)]
pub struct Answers {
    /// Its name.
    pub name: &'static str,
    /// In the order of the questions.
    pub samples: Vec<Vec<f64>>,
}

/// Asks so many generations of processes, each of them every question. Where the pages of a process come to lie decides by a
/// half what a call costs it, for as long as it lives.
pub fn in_generations(
    names: &[&'static str],
    generations: usize,
    questions: &[(&'static str, usize)],
) -> Vec<Answers> {
    let nothing = |name: &&'static str| Answers { name, samples: vec![Vec::new(); questions.len()] };
    let mut all: Vec<_> = names.iter().map(nothing).collect();
    for _ in 0..generations {
        let mut runners = start(names);
        for (at, (question, rounds)) in questions.iter().enumerate() {
            ask_all(&mut runners, question, rounds.div_ceil(generations));
            for (runner, answers) in runners.iter_mut().zip(&mut all) {
                answers.samples[at].append(&mut runner.samples);
            }
        }
    }
    all
}
