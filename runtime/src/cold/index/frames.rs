//! A packed file, unpacked frame by frame, with the places at which they begin.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cold::read::Packing;

/// Unpacks a file frame by frame, and notes where each begins, so that later one can be unpacked without those before.
pub(super) struct Frames {
    reader: Option<Frame>,
    packing: Packing,
    text: u64,
    noted: Arc<Mutex<Vec<(u64, u64)>>>,
}

type Counted = BufReader<Counting>;

enum Frame {
    #[cfg(feature = "gzip")]
    Gzip(Box<flate2::bufread::GzDecoder<Counted>>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::stream::read::Decoder<'static, Counted>),
}

/// How far into the file it is.
struct Counting {
    file: File,
    read: u64,
}

impl Read for Counting {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(to)?;
        self.read += read as u64;
        Ok(read)
    }
}

impl Frames {
    pub(super) fn new(file: File, packing: Packing, noted: Arc<Mutex<Vec<(u64, u64)>>>) -> io::Result<Self> {
        let counted = BufReader::with_capacity(128 << 10, Counting { file, read: 0 });
        let mut frames = Self { reader: None, packing, text: 0, noted };
        frames.reader = frames.begin(counted)?;
        Ok(frames)
    }

    fn begin(&mut self, mut from: Counted) -> io::Result<Option<Frame>> {
        if from.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let at = from.get_ref().read - from.buffer().len() as u64;
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).push((at, self.text));
        match self.packing {
            #[cfg(feature = "zstd")]
            Packing::Zstd => {
                Ok(Some(Frame::Zstd(zstd::stream::read::Decoder::with_buffer(from)?.single_frame())))
            }
            #[cfg(feature = "gzip")]
            Packing::Gzip => Ok(Some(Frame::Gzip(Box::new(flate2::bufread::GzDecoder::new(from))))),
            _ => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }
}

impl Read for Frames {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.reader {
                None => return Ok(0),
                #[cfg(feature = "gzip")]
                Some(Frame::Gzip(frame)) => frame.read(to)?,
                #[cfg(feature = "zstd")]
                Some(Frame::Zstd(frame)) => frame.read(to)?,
            };
            self.text += read as u64;
            if read > 0 || to.is_empty() {
                return Ok(read);
            }
            let from = match self.reader.take() {
                None => return Ok(0),
                #[cfg(feature = "gzip")]
                Some(Frame::Gzip(frame)) => frame.into_inner(),
                #[cfg(feature = "zstd")]
                Some(Frame::Zstd(frame)) => frame.finish(),
            };
            self.reader = self.begin(from)?;
        }
    }
}
