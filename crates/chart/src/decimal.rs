/// Writes a number with a fixed count of decimals and a true minus sign: `-0.04` with one decimal
/// is `0.0`.
///
/// Done with whole numbers because the standard library's float printing would be a tenth of the
/// page's Wasm.
pub fn decimal(value: f32, decimals: u32) -> String {
    let decimals = decimals.min(6);
    let unit = 10_i64.pow(decimals);
    // Through f64, where 13.25 × 10 is still 132.5.
    let scaled = (f64::from(value) * unit as f64).round() as i64;
    let mut text = String::new();
    if scaled < 0 {
        text.push('\u{2212}');
    }
    let scaled = scaled.unsigned_abs();
    let unit = unit.unsigned_abs();
    push_whole(&mut text, scaled / unit, 1);
    if decimals > 0 {
        text.push('.');
        push_whole(&mut text, scaled % unit, decimals as usize);
    }
    text
}

/// Writes a whole number with at least `width` digits.
pub(crate) fn push_whole(text: &mut String, number: u64, width: usize) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    let mut rest = number;
    while rest > 0 || digits.len() - start < width {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    text.extend(digits[start..].iter().map(|&digit| char::from(digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rounds_and_pads() {
        let cases = [
            (19.46, 1, "19.5"),
            (19.0, 1, "19.0"),
            (-0.04, 1, "0.0"),
            (-3.25, 1, "\u{2212}3.3"),
            (0.05, 2, "0.05"),
            (12.3, 0, "12"),
            (1234567.0, 0, "1234567"),
        ];
        for (value, decimals, text) in cases {
            assert_eq!(decimal(value, decimals), text);
        }
    }
}
