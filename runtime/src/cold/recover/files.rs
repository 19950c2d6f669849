//! The files of a run as recovery and readers find them: whole lines, and the last `seq`.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The `seq` of the last whole line of a file after its first `len` bytes; 0 when there is none.
pub(super) fn last_seq_after(path: &Path, len: u64) -> io::Result<u64> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    file.seek(SeekFrom::Start(len))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(last_seq(&text))
}

/// The `seq` of the last whole line of a file, or 0; reads the end of the file, twice as much each time.
pub(crate) fn last_seq_of_file(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut want = 16 << 10;
    loop {
        let from = len.saturating_sub(want);
        file.seek(SeekFrom::Start(from))?;
        let mut text = Vec::new();
        file.by_ref().take(len - from).read_to_end(&mut text)?;
        // Two newlines: the line between them is whole.
        let whole = from == 0 || text.iter().filter(|byte| **byte == b'\n').nth(1).is_some();
        if whole {
            return Ok(last_seq(&text));
        }
        want *= 2;
    }
}

/// The `seq` of the last whole line of `text`; 0 when there is none.
fn last_seq(text: &[u8]) -> u64 {
    let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else { return 0 };
    let start = text[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    seq_of(&text[start..end]).unwrap_or(0)
}

/// The `seq` of a line: always its last field.
pub(crate) fn seq_of(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"seq\":";
    let at = line.windows(KEY.len()).rposition(|window| window == KEY)?;
    let digits = line[at + KEY.len()..].strip_suffix(b"}")?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// Cuts the unfinished last line of every stream. Returns how many there were.
pub(super) fn cut_torn_lines(dir: &Path) -> io::Result<u64> {
    let mut torn = 0;
    for path in stream_files(dir)? {
        let mut file = File::options().read(true).write(true).open(&path)?;
        let whole = whole_len(&mut file)?;
        if whole < file.metadata()?.len() {
            file.set_len(whole)?;
            torn += 1;
        }
    }
    Ok(torn)
}

/// The length of a file up to its last newline.
fn whole_len(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut chunk = vec![0; 64 << 10];
    while end > 0 {
        let len = chunk.len().min(end as usize);
        file.read_exact_at(&mut chunk[..len], end - len as u64)?;
        if let Some(at) = chunk[..len].iter().rposition(|byte| *byte == b'\n') {
            return Ok(end - len as u64 + at as u64 + 1);
        }
        end -= len as u64;
    }
    Ok(0)
}

/// The files of a run's streams: `*.jsonl` and `*.log`, also one folder below.
pub(crate) fn stream_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.append(&mut stream_files(&path)?);
        } else if path.extension().is_some_and(|end| end == "jsonl" || end == "log") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
