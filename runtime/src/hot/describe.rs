//! A site as bytes, in the same encoding as a record's fields, so that whoever can read a record can read its site.

use super::encoder::{Encoder, HEAD, tag};
use super::fields::Fields;
use super::site::{Field, Site, Source};
use super::value::{Value, by_reference};

/// The description of a site; `cold::sites` reads it.
pub(crate) fn site(id: u32, site: &Site) -> Vec<u8> {
    let stream = site.event.stream;
    let place = &site.place;
    bytes(&(
        id,
        site.stream_index.load(core::sync::atomic::Ordering::Relaxed),
        site.event.name,
        stream.name(),
        stream.class() as u8,
        stream.is_component(),
        site.event.level as u8,
        site.event.category as u8,
        site.message,
        place.file,
        place.line,
        place.column,
        place.module,
        place.function,
        site.fields().copied().collect::<Vec<_>>(),
    ))
}

/// The bytes of some fields.
pub(crate) fn bytes(fields: &impl Fields) -> Vec<u8> {
    let mut bytes = vec![tag::END; fields.size()];
    fields.encode(&mut Encoder::new(&mut bytes));
    bytes
}

/// The kinds of [`Source`], in descriptions. Never renumber.
pub(crate) mod source {
    pub(crate) const RECORDED: u8 = 0;
    pub(crate) const CONSTANT: u8 = 1;
    pub(crate) const DISPLAY_TIME: u8 = 2;
    pub(crate) const EPOCH_SECONDS: u8 = 3;
}

/// A list of name, kind of source and, for a constant, its value.
impl Value for Field {
    by_reference!();

    fn size(&self) -> usize {
        HEAD + self.name.size() + 0_u8.size() + constant(&self.source, |value| value.size())
    }

    fn encode(&self, out: &mut Encoder<'_>) {
        out.head(tag::LIST, 3);
        self.name.encode(out);
        let kind = match self.source {
            Source::Recorded => source::RECORDED,
            Source::DisplayTime => source::DISPLAY_TIME,
            Source::EpochSeconds => source::EPOCH_SECONDS,
            _ => source::CONSTANT,
        };
        kind.encode(out);
        constant(&self.source, |value| value.encode(out));
    }
}

fn constant<R>(source: &Source, then: impl FnOnce(&dyn Fields) -> R) -> R {
    match source {
        Source::Text(text) => then(&(text,)),
        Source::Int(number) => then(&(number,)),
        Source::Float(number) => then(&(number,)),
        Source::Bool(truth) => then(&(truth,)),
        _ => then(&(None::<u8>,)),
    }
}
