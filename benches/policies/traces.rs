//! Real traffic from a folder: its shape, minute by minute, over two weeks.

use simulator::production::tiled;
use simulator::suite::Set;
use std::path::Path;

/// Minutes of two weeks.
const MINUTES: usize = 2 * 7 * 1_440;
/// Minutes from one value to the next where a file has timestamps.
const SAMPLED: usize = 5;

/// Traffic of one file.
pub struct Trace {
    /// The file's name without its end.
    pub name: String,
    minutes: Vec<f64>,
}

/// Every file of a folder whose name ends in `.csv` and that holds traffic: `minute,count`; `t_s,…` with one line for each
/// request; or `timestamp,value` every five minutes where its name says that it counts requests.
///
/// # Errors
/// Where the folder or a file cannot be read, or a line of it.
pub fn read(folder: &Path) -> Result<Vec<Trace>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut traces = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "csv")) {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let minutes = minutes(&name, &text).map_err(|line| format!("{}: not understood: {line}", path.display()))?;
        if let Some(minutes) = minutes {
            traces.push(Trace { name, minutes });
        }
    }
    Ok(traces)
}

/// Requests in each minute; none where the file holds something else.
fn minutes(name: &str, text: &str) -> Result<Option<Vec<f64>>, String> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let field = |line: &str, index: usize| -> Result<f64, String> {
        let value = line.split(',').nth(index).and_then(|value| value.trim().parse().ok());
        value.ok_or_else(|| line.to_owned())
    };
    if header == "minute,count" {
        return lines.map(|line| field(line, 1)).collect::<Result<_, _>>().map(Some);
    }
    if header.starts_with("t_s,") {
        let mut counts = Vec::new();
        for line in lines {
            let minute = (field(line, 0)? / 60.0) as usize;
            counts.resize(counts.len().max(minute + 1), 0.0);
            counts[minute] += 1.0;
        }
        counts.pop(); // the last minute is not whole
        return Ok(Some(counts));
    }
    if header == "timestamp,value" && name.contains("request_count") {
        let values: Vec<f64> = lines.map(|line| field(line, 1)).collect::<Result<_, _>>()?;
        let between = |pair: &[f64]| -> Vec<f64> {
            (0..SAMPLED).map(|minute| pair[0] + (pair[1] - pair[0]) * minute as f64 / SAMPLED as f64).collect()
        };
        return Ok(Some(values.windows(2).flat_map(between).collect()));
    }
    Ok(None)
}

impl Trace {
    /// Two weeks of it: a part, where it is longer; its minutes over and over on usual days, where it is shorter.
    pub fn shape(&self, set: Set, replicate: u64) -> Vec<f64> {
        if self.minutes.len() + 60 < MINUTES {
            return tiled(&self.name, &self.minutes, set, replicate);
        }
        // The parts are a week apart; what is missing at the end is as the last minute was.
        let parts = (self.minutes.len().saturating_sub(MINUTES) / (MINUTES / 2)) + 1;
        let begin = (replicate as usize % parts) * (MINUTES / 2);
        let last = self.minutes[self.minutes.len() - 1];
        let part = self.minutes.iter().copied().skip(begin).chain(std::iter::repeat(last));
        part.take(MINUTES).collect()
    }
}
