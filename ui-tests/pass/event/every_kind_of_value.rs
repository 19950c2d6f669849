use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use tapelog::{IntentId, event, events::*, fixed};

fn main() {
    let text = String::from("text");
    let list = vec![1_u8, 2];
    let map = HashMap::from([("a", 1.0)]);
    event!(
        BUY_BLOCKED,
        a1 = 1_u8,
        a2 = 1_i128,
        a3 = 1.5_f32,
        a4 = true,
        a5 = 'c',
        a6 = &text,
        a7 = &list[..],
        a8 = list,
        a9 = map,
        b1 = BTreeMap::<String, Vec<Option<u32>>>::new(),
        b2 = Some(1),
        b3 = None::<f64>,
        b4 = SystemTime::now(),
        b5 = IntentId::new(),
        b6 = tapelog::decision_id(),
        b7 = fixed(4_500_050, 2),
        b8 = Cow::Borrowed("x"),
        b9 = Box::new(1),
        c1 = std::sync::Arc::new(text.clone()),
        c2 = [1, 2, 3],
        c3 = usize::MAX,
        c4 = f64::NAN,
        c5 = -3,
        c6 = -0.5,
        c7 = 18_446_744_073_709_551_615_u64,
        c8 = 1e3,
        c9 = 0x10,
        d1 = "const",
        d2 = &&&1,
    );
}
