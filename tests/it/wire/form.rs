//! The query protocol, which SNS speaks.

use serde_json::Value;

/// A query-protocol request: `Action=Publish&…`.
pub fn form(bytes: &[u8]) -> (String, Value) {
    let decode = |text: &str| {
        let mut out = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'+' => out.push(b' '),
                b'%' => {
                    let hex: String = [rest.next().unwrap(), rest.next().unwrap()].map(char::from).iter().collect();
                    out.push(u8::from_str_radix(&hex, 16).unwrap());
                }
                other => out.push(other),
            }
        }
        String::from_utf8(out).unwrap()
    };
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let fields: serde_json::Map<String, Value> = text
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decode(key), Value::from(decode(value))))
        .collect();
    (fields["Action"].as_str().unwrap().to_owned(), Value::Object(fields))
}
