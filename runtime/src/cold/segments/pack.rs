//! Packing closed segments, and reading them whatever they are packed with.
//!
//! Invariant: at every moment the whole segment stands under its name or under its packed name. The plain file goes only
//! after the packed one is on the disk and has been read back. What a crash leaves behind is a temporary file, or both.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::cold::read::Packing;
use crate::cold::streams::FILE_MODE;

/// Packed files that are not finished are hidden from readers, and from `*.jsonl*`.
const UNFINISHED: &str = ".packing";
/// Lines of JSON become a tenth at level 3; higher levels take twice the time for a few percent.
const LEVEL: u32 = 3;

/// Whether this build can pack so.
pub(crate) const fn can(packing: Packing) -> bool {
    match packing {
        Packing::Plain => true,
        Packing::Gzip => cfg!(feature = "gzip"),
        Packing::Zstd => cfg!(feature = "zstd"),
    }
}

/// A step of [`pack`], after which a process may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A part of the packed file is written.
    Writing,
    /// It is whole, on the disk, and has been read back.
    Written,
    /// It has its name; the plain file is still there.
    Named,
}

/// Packs a closed segment; returns the packed file. For who is [`alone`].
///
/// # Errors
/// When it cannot be read, written or read back; then the plain file is still there, and nothing else.
pub(crate) fn pack(path: &Path, packing: Packing) -> io::Result<PathBuf> {
    pack_unless(path, packing, |_| Ok(()))
}

/// As [`pack`], unless `stop` refuses a step.
pub(crate) fn pack_unless(
    path: &Path,
    packing: Packing,
    mut stop: impl FnMut(Step) -> io::Result<()>,
) -> io::Result<PathBuf> {
    pack_by_steps(path, packing, &mut stop).inspect_err(|_| {
        // It is of no use; what cannot be removed is hidden, and removed by the next start.
        let _ = fs::remove_file(unfinished(path));
    })
}

/// As [`pack`], but leaves everything as it is when `after` refuses to go on.
pub(crate) fn pack_by_steps(
    path: &Path,
    packing: Packing,
    after: &mut dyn FnMut(Step) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(packing.suffix());
    let packed = PathBuf::from(name);
    let fresh = unfinished(path);
    let mut plain = File::open(path)?;
    let file = File::options().write(true).create(true).truncate(true).mode(FILE_MODE).open(&fresh)?;
    let mut frame = Some(encoder(BufWriter::with_capacity(64 << 10, file), packing)?);
    let mut in_frame = 0;
    let mut sha = Sha256::new();
    each_chunk(&mut plain, |chunk| {
        sha.update(chunk);
        if in_frame >= FRAME
            && let Some(full) = frame.take()
        {
            frame = Some(full.next(packing)?);
            in_frame = 0;
        }
        in_frame += chunk.len();
        if let Some(frame) = &mut frame {
            frame.write_all(chunk)?;
        }
        after(Step::Writing)
    })?;
    let file = frame.ok_or_else(|| io::Error::other("a frame was not begun"))?.finish()?;
    // Age is counted from the last line, not from the packing.
    file.set_modified(plain.metadata()?.modified()?)?;
    file.sync_all()?;
    let mut read_back = Sha256::new();
    each_chunk(&mut *open(&fresh, packing)?, |chunk| {
        read_back.update(chunk);
        Ok(())
    })?;
    if sha.finalize() != read_back.finalize() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the packed segment does not read back"));
    }
    after(Step::Written)?;
    fs::rename(&fresh, &packed)?;
    sync_folder(path)?;
    after(Step::Named)?;
    fs::remove_file(path)?;
    Ok(packed)
}

/// The right to pack and tidy in the run in `dir`, until it is dropped. The keeper of a run that has ended may be at work
/// still when another process cleans: each would take the other's file for one that was left over, and a segment could go
/// with both. None when somebody has it for longer than a while; a file system without locks gives it to everybody.
pub(crate) fn alone(dir: &Path) -> Option<File> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let folder = File::open(dir).ok()?;
    let until = Instant::now() + PATIENCE;
    while let Err(TryLockError::WouldBlock) = folder.try_lock() {
        if Instant::now() >= until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(folder)
}

/// Puts in order what a packing that was interrupted has left in a folder and below. For who is [`alone`].
pub(crate) fn tidy(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if entry.file_type()?.is_dir() {
            tidy(&path)?;
        } else if name.starts_with('.') && name.ends_with(UNFINISHED) {
            fs::remove_file(&path)?;
        } else if let Some(plain) = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end))
            && super::parse_closed(plain).is_some()
            && path.with_file_name(plain).exists()
        {
            // Both are whole. The plain one is what the seals are of.
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The lines of a segment, unpacked.
///
/// # Errors
/// When it cannot be opened, or this build cannot unpack it.
pub(crate) fn open(path: &Path, packing: Packing) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    match packing {
        Packing::Plain => Ok(Box::new(file)),
        #[cfg(feature = "gzip")]
        Packing::Gzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(file)))),
        #[cfg(feature = "zstd")]
        Packing::Zstd => Ok(Box::new(zstd::stream::read::Decoder::new(file)?)),
        #[cfg(not(all(feature = "gzip", feature = "zstd")))]
        packing => Err(cannot(packing)),
    }
}

/// Says which feature is missing.
#[cfg(not(all(feature = "gzip", feature = "zstd")))]
fn cannot(packing: Packing) -> io::Error {
    let name = packing.suffix().trim_start_matches('.');
    let feature = if packing == Packing::Gzip { "gzip" } else { "zstd" };
    let text = format!("this build does not read .{name} files; enable the feature `{feature}` of `tapelog`");
    io::Error::new(io::ErrorKind::Unsupported, text)
}

fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{UNFINISHED}"))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

pub(crate) fn each_chunk(
    from: &mut dyn Read,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut chunk = vec![0; 256 << 10];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(len) => each(&chunk[..len])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// So much text is one frame, which can be unpacked without those before it: `tape` jumps to the one that it needs.
const FRAME: usize = 256 << 10;

/// What packs, and gives its file back.
enum Packer {
    Plain(BufWriter<File>),
    #[cfg(feature = "gzip")]
    Gzip(Box<flate2::write::GzEncoder<BufWriter<File>>>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

fn encoder(out: BufWriter<File>, packing: Packing) -> io::Result<Packer> {
    match packing {
        Packing::Plain => Ok(Packer::Plain(out)),
        #[cfg(feature = "gzip")]
        Packing::Gzip => {
            let packer = flate2::write::GzEncoder::new(out, flate2::Compression::new(LEVEL));
            Ok(Packer::Gzip(Box::new(packer)))
        }
        #[cfg(feature = "zstd")]
        Packing::Zstd => Ok(Packer::Zstd(zstd::stream::write::Encoder::new(out, LEVEL as i32)?)),
        #[cfg(not(all(feature = "gzip", feature = "zstd")))]
        packing => {
            let _level = LEVEL;
            Err(cannot(packing))
        }
    }
}

impl Packer {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            #[cfg(feature = "gzip")]
            Self::Gzip(out) => out.write_all(bytes),
            #[cfg(feature = "zstd")]
            Self::Zstd(out) => out.write_all(bytes),
        }
    }

    /// Ends a frame and begins the next in the same file. `gzip -d` and `zstd -d` unpack them as one.
    #[cfg_attr(
        not(any(feature = "gzip", feature = "zstd")),
        expect(unused_variables, reason = "without a packing there is one frame")
    )]
    fn next(self, packing: Packing) -> io::Result<Self> {
        match self {
            Self::Plain(out) => Ok(Self::Plain(out)),
            #[cfg(feature = "gzip")]
            Self::Gzip(out) => encoder(out.finish()?, packing),
            #[cfg(feature = "zstd")]
            Self::Zstd(out) => encoder(out.finish()?, packing),
        }
    }

    fn finish(self) -> io::Result<File> {
        let out = match self {
            Self::Plain(out) => out,
            #[cfg(feature = "gzip")]
            Self::Gzip(out) => out.finish()?,
            #[cfg(feature = "zstd")]
            Self::Zstd(out) => out.finish()?,
        };
        out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("tapelog-pack-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("events")).unwrap();
        dir
    }

    /// Everything that stands under the segment's names, each of which must be the whole.
    fn check_whole(dir: &Path, text: &[u8]) {
        let mut found = 0;
        for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
            let path = dir.join(format!("events/a.000001.jsonl{}", packing.suffix()));
            if path.exists() {
                let mut back = Vec::new();
                open(&path, packing).unwrap().read_to_end(&mut back).unwrap();
                assert_eq!(back, text);
                found += 1;
            }
        }
        assert!(found > 0, "the segment is gone");
    }

    #[test]
    fn a_packing_that_dies_at_any_step_keeps_the_segment_whole() {
        // S0-051; issue point 6: a crash at any step of a compression loses no line.
        let text: Vec<u8> =
            (0..60_000_u64).flat_map(|n| format!("{{\"n\":{n},\"seq\":{n}}}\n").into_bytes()).collect();
        for packing in [Packing::Gzip, Packing::Zstd].into_iter().filter(|packing| can(*packing)) {
            let dir = folder(packing.suffix());
            let path = dir.join("events/a.000001.jsonl");
            let mut die_at = 0;
            loop {
                fs::write(&path, &text).unwrap();
                let mut step = 0;
                let done = pack_by_steps(&path, packing, &mut |_| {
                    step += 1;
                    if step > die_at { Err(io::Error::other("killed")) } else { Ok(()) }
                });
                check_whole(&dir, &text);
                if done.is_ok() {
                    break;
                }
                tidy(&dir).unwrap();
                check_whole(&dir, &text);
                assert_eq!(fs::read_dir(dir.join("events")).unwrap().count(), 1, "something is left over");
                die_at += 1;
            }
            assert!(die_at > 5, "only {die_at} steps");
            assert!(!path.exists());
            fs::remove_dir_all(dir).unwrap();
        }
    }

    #[test]
    #[cfg(feature = "gzip")]
    fn a_packed_segment_is_smaller_and_as_old_as_it_was() {
        let dir = folder("age");
        let path = dir.join("a.000001.jsonl");
        fs::write(&path, "{\"event_type\":\"ORDER_CONTEXT\",\"seq\":1}\n".repeat(1000)).unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        let before = fs::metadata(&path).unwrap().len();
        let packed = pack(&path, Packing::Gzip).unwrap();
        let about = fs::metadata(packed).unwrap();
        assert!(about.len() * 5 < before);
        assert_eq!(about.modified().unwrap(), old);
        fs::remove_dir_all(dir).unwrap();
    }
}
