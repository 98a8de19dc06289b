//! Changes one place of a JSON document, so that most inputs still decode, and carry what never should be there.

use fastrand::Rng;
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

/// A libFuzzer mutator: one to three changes of the document; now and then of its bytes.
pub fn json(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Rng::with_seed(seed.into());
    let Ok(mut document) = serde_json::from_slice::<Value>(&data[..size]) else {
        return fuzzer_mutate(data, size, max_size);
    };
    if random.usize(..16) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    for _ in 0..=random.usize(..3) {
        change(&mut document, &mut random);
    }
    let bytes = document.to_string().into_bytes();
    if bytes.len() > max_size.min(data.len()) {
        return size;
    }
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

fn change(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let place = random.usize(..fields.len());
            let Some(name) = fields.keys().nth(place).cloned() else { return };
            match (random.usize(..40), fields.get_mut(&name)) {
                (0, _) => drop(fields.remove(&name)),
                (1, Some(field)) => *field = Value::Null,
                (_, Some(field)) => change(field, random),
                (_, None) => {}
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let place = random.usize(..items.len());
            match random.usize(..12) {
                0 => drop(items.remove(place)),
                1 => items.insert(place, items[place].clone()),
                2 => items.truncate(place),
                3 => items.reverse(),
                _ => change(&mut items[place], random),
            }
        }
        Value::Number(number) => {
            let old = number.as_f64().unwrap_or_default();
            *value = match random.usize(..4) {
                0 => Value::Null,
                1 => json!(old * NUMBERS[random.usize(..NUMBERS.len())]),
                2 if number.is_u64() => json!(random.usize(..5)),
                2 if number.is_i64() => json!(-1),
                _ if number.is_u64() => json!([0_u64, 1, 10_000, 4_294_967_295, u64::MAX][random.usize(..5)]),
                _ => json!(NUMBERS[random.usize(..NUMBERS.len())]),
            };
        }
        Value::String(text) => {
            *text = match random.usize(..10) {
                0 => text.repeat(9),
                1 => text.chars().rev().collect(),
                _ => TEXTS[random.usize(..TEXTS.len())].to_owned(),
            };
        }
        Value::Bool(yes) => *yes = !*yes,
        Value::Null => *value = json!(NUMBERS[random.usize(..NUMBERS.len())]),
        Value::Object(_) | Value::Array(_) => {}
    }
}
