//! Editing traces: those of the folder named by `WEFT_TRACES`, and one that is made up, always the same.

use std::path::PathBuf;

use serde_json::{Value, json};

/// A sequential trace of this many keystrokes: typing, going back, jumping, and characters of every width.
pub(crate) fn generated(keystrokes: usize) -> (String, String) {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = move |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % bound as u64).unwrap()
    };
    let letters: Vec<char> = "etaoinshrdlu  \n,.ÄßЖ語🙂👩".chars().collect();
    let mut text: Vec<char> = "It begins.\n".chars().collect();
    let start: String = text.iter().collect();
    let mut cursor = text.len();
    let mut txns = Vec::with_capacity(keystrokes);
    for _ in 0..keystrokes {
        if below(40) == 0 {
            cursor = below(text.len() + 1);
        }
        let patch = if cursor > 0 && below(12) == 0 {
            cursor -= 1;
            text.remove(cursor);
            json!([cursor, 1, ""])
        } else {
            let letter = letters[below(letters.len())];
            text.insert(cursor, letter);
            cursor += 1;
            json!([cursor - 1, 0, letter.to_string()])
        };
        txns.push(json!({"time": "2026-01-01T00:00:00.000Z", "patches": [patch]}));
    }
    let end: String = text.iter().collect();
    (json!({"startContent": start, "endContent": end, "txns": txns}).to_string(), end)
}

/// The sequential traces of the folder named by `WEFT_TRACES`, with the text each ends in.
pub(crate) fn of_folder() -> Vec<(PathBuf, String)> {
    let Some(folder) = std::env::var_os("WEFT_TRACES") else { return Vec::new() };
    let mut traces = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if !path.to_string_lossy().ends_with(".json.gz") {
            continue;
        }
        let unpacked = flate2::read::MultiGzDecoder::new(std::fs::File::open(&path).unwrap());
        let trace: Value = serde_json::from_reader(std::io::BufReader::new(unpacked)).unwrap();
        let concurrent = trace["txns"][0].get("parents").is_some();
        if !concurrent {
            traces.push((path, trace["endContent"].as_str().unwrap().to_owned()));
        }
    }
    traces.sort();
    traces
}
