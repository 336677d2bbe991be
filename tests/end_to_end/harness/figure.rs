//! What tests measure in passing.

/// Says a figure so that `cargo xtask bench` finds it.
pub(crate) fn tell(scenario: &str, program: &str, metric: &str, value: f64) {
    println!("figure {scenario} {program} {metric} {value}");
}

/// The value that such a share of them, from 0 to 1, is not above.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(share * (values.len() - 1) as f64).ceil() as usize]
}
