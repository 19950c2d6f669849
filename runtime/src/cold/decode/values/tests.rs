use super::*;
use crate::found::FoundText;
use crate::hot::describe::bytes;
use crate::hot::encoder::Encoder;
use crate::hot::fields::{And, Fields};
use crate::hot::value::{Bytes, Elapsed, Maybe, Taken, Value, fixed};
use crate::scope::structure::{ABSENT, NULL};

#[test]
fn values_read_back_as_they_were_written() {
    let written = bytes(&(
        true,
        -5_i32,
        u64::MAX,
        i128::MIN,
        1.5_f64,
        0.1_f32,
        "é\0\"",
        vec![Some(1_u8), None],
        fixed(4_500_050, 2),
        Maybe::<u8>(None),
        FoundText::new("token"),
        'x',
    ));
    let mut reader = Reader::new(&written);
    let read: Vec<_> = core::iter::from_fn(|| reader.value()).collect();
    let expected = [
        Decoded::Bool(true),
        Decoded::I64(-5),
        Decoded::U64(u64::MAX),
        Decoded::I128(i128::MIN),
        Decoded::F64(1.5),
        Decoded::F32(0.1),
        Decoded::Text("é\0\""),
        Decoded::List(vec![Decoded::U64(1), Decoded::Null]),
        Decoded::Decimal(4_500_050, 2),
        Decoded::Absent,
        Decoded::FoundText("token"),
        Decoded::Text("x"),
    ];
    assert_eq!(read, expected);
}

/// The same values as a record call writes them, where something else stood before.
fn block(fields: &impl Fields) -> Vec<u8> {
    let mut bytes = vec![0xEE; fields.block_size().next_multiple_of(8)];
    if let Some(last) = bytes.last_chunk_mut::<8>() {
        *last = [tag::END; 8];
    }
    let mut out = Encoder::new(&mut bytes);
    fields.encode_block(&mut out);
    out.finish();
    bytes
}

fn read(bytes: &[u8]) -> Vec<Decoded<'_>> {
    let mut reader = Reader::new(bytes);
    core::iter::from_fn(|| reader.value()).collect()
}

/// A tuple of every kind of value that a block knows, and of some that it does not.
macro_rules! every_kind {
    () => {
        (
            "BTC/USDT",
            0.015_37,
            -5_i64,
            u64::MAX,
            (i128::MIN, u128::MAX),
            0.1_f32,
            true,
            false,
            fixed(4_500_050, 2),
            Bytes(&[0xCA, 0xFE]),
            Some("taken"),
            None::<u8>,
            Elapsed(7),
            Taken(8),
            std::borrow::Cow::from("é"),
            vec![Some(1_u8), None],
        )
    };
}

// Issue 4, "Speed": one way of writing is for speed, the other for little to compile.
#[test]
fn a_block_reads_as_the_values_one_by_one() {
    let (a, b, c, d, (e, f), g, h, i, j, k, l, m, n, o, p, q) = every_kind!();
    let fields = And((a, b, c, d, e, f, g, h, &i, j), And((k, l, m, n), (o, p, q, NULL, ABSENT)));
    let (one_by_one, blocks) = (bytes(&fields), block(&fields));
    assert_eq!(read(&blocks), read(&one_by_one));
    assert_eq!(read(&blocks).len(), 19);
    assert!(Reader::new(&blocks).is_whole());
}

#[test]
fn short_values_are_the_same_in_a_block_and_alone() {
    let fields = ("IOC", 1.5, 3_u64, -3_i64, true, Maybe::<u8>(None), "", Elapsed(9));
    let (one_by_one, blocks) = (bytes(&fields), block(&fields));
    let (mut alone, mut together) = (Reader::new(&one_by_one), Reader::new(&blocks));
    #[derive(Debug, PartialEq)]
    enum Short<'a> {
        Word(u8, u64),
        Text(&'a [u8]),
        Other(Option<Decoded<'a>>),
    }
    fn short<'a>(reader: &mut Reader<'a>) -> Option<Short<'a>> {
        Some(match reader.peek()? {
            kind @ (tag::F64 | tag::U64 | tag::I64 | tag::ELAPSED_MS) => {
                let word = reader.word()?;
                assert_eq!(reader.word(), Some(word), "it has not moved");
                reader.pass_word();
                Short::Word(kind, word)
            }
            tag::TEXT => Short::Text(reader.text()?),
            _ => Short::Other(reader.value()),
        })
    }
    for _ in 0..8 {
        assert_eq!(short(&mut alone), short(&mut together));
    }
    assert_eq!((short(&mut alone), together.value()), (None, None));
}

#[test]
fn a_block_that_is_cut_or_changed_invents_nothing() {
    let (a, b, c, d, _, f, g, h, i, j, k, l, ..) = every_kind!();
    let whole = block(&(a, b, c, d, f, g, h, i, j, k, l, "the end"));
    let values = read(&whole);
    for cut in 0..whole.len() {
        let cut = &whole[..cut];
        let mut reader = Reader::new(cut);
        let mut at = 0;
        while at < values.len() {
            if let Some(value) = reader.value() {
                assert_eq!(value, values[at], "cut at {}", cut.len());
            }
            at += 1;
        }
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            let _ = (read(&changed), Reader::new(&changed).is_whole());
        }
    }
}

/// Claims to need so many bytes, and writes a list of sixteen numbers.
struct Lies(usize);

impl Value for Lies {
    crate::hot::value::by_reference!();
    fn size(&self) -> usize {
        self.0
    }
    fn encode(&self, out: &mut Encoder<'_>) {
        out.head(tag::LIST, 16);
        (0..16_u64).for_each(|n| n.encode(out));
    }
}

#[test]
fn a_value_that_lies_about_its_size_costs_no_more_than_what_follows_it_in_length() {
    for claimed in 0..200 {
        let bytes = block(&("before", Lies(claimed), "after", 5_u64));
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.value(), Some(Decoded::Text("before")), "{claimed}");
        let lie = reader.value();
        if let Some(Decoded::List(items)) = &lie {
            let numbers: Vec<_> = (0..16).map(Decoded::U64).collect();
            assert!(numbers.starts_with(items), "{claimed}: {items:?}");
        }
        let after = reader.value();
        assert!(matches!(after, None | Some(Decoded::Text("after"))), "{claimed}: {after:?}");
        // It stands in the block itself.
        assert_eq!(reader.value(), Some(Decoded::U64(5)), "{claimed}");
        if claimed >= 5 + 16 * 9 {
            assert_eq!(after, Some(Decoded::Text("after")), "{claimed}");
        }
    }
}

// Issue 4, guarantees 1 and 8: recovery goes on behind such a record.
#[test]
fn a_record_whose_value_lies_about_its_size_is_no_damage() {
    let nested =
        [("key", vec![fixed(4_500_050, 2)])].into_iter().collect::<std::collections::BTreeMap<_, _>>();
    let texts = ("after", "", 5_u64, "long enough for both ways of copying a text", 'x', nested);
    for claimed in 0..200 {
        let lies = Lies(claimed);
        let fields = And(("before", &lies), &texts);
        for bytes in
            [block(&fields), block(&And(&texts, ("before", &lies))), block(&("before", &lies, "after"))]
        {
            assert!(Reader::new(&bytes).is_whole(), "{claimed}: {bytes:?}");
        }
        // As the slow way writes them.
        let by_calls: &dyn Fields = &fields;
        let bytes = block(&And((), by_calls));
        assert!(Reader::new(&bytes).is_whole(), "{claimed}: {bytes:?}");
    }
}

#[test]
fn bytes_cut_anywhere_end_the_values_and_never_panic() {
    let whole = bytes(&("abc", vec![1_u8, 2], 3.0, fixed(1, 1)));
    let all = {
        let mut reader = Reader::new(&whole);
        core::iter::from_fn(move || reader.value()).collect::<Vec<_>>()
    };
    for cut in 0..whole.len() {
        let mut reader = Reader::new(&whole[..cut]);
        let read: Vec<_> = core::iter::from_fn(|| reader.value()).collect();
        assert!(read.len() <= all.len());
    }
}

#[test]
fn values_are_whole_only_to_their_last_byte() {
    let nested =
        [("deep", vec![vec![1_u8], vec![]])].into_iter().collect::<std::collections::BTreeMap<_, _>>();
    let mut whole = bytes(&("abc", vec![1_u8, 2], nested, 3.0, fixed(1, 1), true, "end"));
    // Behind each value, each item and each key, and behind the heads of lists and maps: there a value that lied is cut off.
    let boundaries = [8, 13, 22, 31, 36, 44, 49, 54, 63, 68, 77, 98, 99, whole.len()];
    for cut in 1..=whole.len() {
        assert_eq!(Reader::new(&whole[..cut]).is_whole(), boundaries.contains(&cut), "cut at {cut}");
    }
    whole.extend([0; 7]);
    assert!(Reader::new(&whole).is_whole());
    for at in whole.len() - 7..whole.len() {
        let mut changed = whole.clone();
        changed[at] = 0xFF;
        assert!(!Reader::new(&changed).is_whole(), "{at}");
    }
}
