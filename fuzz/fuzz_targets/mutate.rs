//! Changes one place of a JSON document, so that most inputs still decode, and carry what never should be there.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Value, json};

const TEXTS: [&str; 8] = [
    "",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-10-05T09:20:00Z",
    "<script>alert(1)</script>",
    "a'b\"c`d$(e)\n|*f*\u{202e}",
    "${aws_iam_role.x.arn} %{ if true }",
    "ml.p4d.24xlarge",
];
const NUMBERS: [f64; 14] =
    [0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, 1e-300, 1e15, 4_294_967_295.0, 9.3e18, 60.0, 1e6, f64::MIN_POSITIVE];

/// The next of a sequence that a seed begins (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }
}

/// A libFuzzer mutator: one to three changes of the document; now and then of its bytes.
pub fn json(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(u64::from(seed) | 1 << 40);
    let Ok(mut document) = serde_json::from_slice::<Value>(&data[..size]) else {
        return fuzzer_mutate(data, size, max_size);
    };
    if random.below(16) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    for _ in 0..=random.below(3) {
        change(&mut document, &mut random);
    }
    let bytes = document.to_string().into_bytes();
    if bytes.len() > max_size.min(data.len()) {
        return size;
    }
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

fn change(value: &mut Value, random: &mut Random) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let place = random.below(fields.len());
            let Some(name) = fields.keys().nth(place).cloned() else { return };
            match (random.below(40), fields.get_mut(&name)) {
                (0, _) => drop(fields.remove(&name)),
                (1, Some(field)) => *field = Value::Null,
                (_, Some(field)) => change(field, random),
                (_, None) => {}
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let place = random.below(items.len());
            match random.below(12) {
                0 => drop(items.remove(place)),
                1 => items.insert(place, items[place].clone()),
                2 => items.truncate(place),
                3 => items.reverse(),
                _ => change(&mut items[place], random),
            }
        }
        Value::Number(number) => {
            let old = number.as_f64().unwrap_or_default();
            *value = match random.below(4) {
                0 => Value::Null,
                1 => json!(old * NUMBERS[random.below(NUMBERS.len())]),
                2 if number.is_u64() => json!(random.below(5)),
                2 if number.is_i64() => json!(-1),
                _ if number.is_u64() => json!([0_u64, 1, 10_000, 4_294_967_295, u64::MAX][random.below(5)]),
                _ => json!(NUMBERS[random.below(NUMBERS.len())]),
            };
        }
        Value::String(text) => {
            *text = match random.below(10) {
                0 => text.repeat(9),
                1 => text.chars().rev().collect(),
                _ => TEXTS[random.below(TEXTS.len())].to_owned(),
            };
        }
        Value::Bool(yes) => *yes = !*yes,
        Value::Null => *value = json!(NUMBERS[random.below(NUMBERS.len())]),
        Value::Object(_) | Value::Array(_) => {}
    }
}
