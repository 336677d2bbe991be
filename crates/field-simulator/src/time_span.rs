//! A time span as it stands on a command line, such as 1h or 10m.

/// The words for units and their seconds, the longest first.
pub(crate) const UNITS: [(&str, u32); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// A time span from a second to 30 days, in seconds.
pub(crate) fn parse_seconds(text: &str) -> Option<u32> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|&(word, seconds)| Some((text.strip_suffix(word)?, seconds)))?;
    let number: u32 = number.trim_end().parse().ok()?;
    number
        .checked_mul(unit)
        .filter(|seconds| (1..=MONTH_SECONDS).contains(seconds))
}

const MONTH_SECONDS: u32 = 30 * 86_400;
