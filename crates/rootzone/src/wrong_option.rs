//! What is wrong with a command line, in one line.

/// The message and the tips of clap's report, without the usage.
pub(crate) fn in_one_line(error: &clap::Error) -> String {
    let report = error.render().to_string();
    let parts: Vec<String> = report
        .trim_start_matches("error:")
        .split("\n\n")
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let tips = parts
        .iter()
        .filter_map(|part| part.strip_prefix("tip: "))
        .map(|tip| format!("; {tip}"));
    let message = parts.first().map_or("", String::as_str);
    format!("{message}{} (see --help)", tips.collect::<String>())
}
