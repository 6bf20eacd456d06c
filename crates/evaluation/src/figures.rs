//! Formats numbers for people, in English.

/// Formats a number with exactly so many decimals.
pub(crate) fn fixed(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

/// Formats a percentage: 3 %, 48.5 %.
pub(crate) fn percent(value: f64) -> String {
    format!("{} %", plain(value))
}

/// Formats a number with at most two decimals, without trailing zeros, and with thousands separators: 3, 48.5, 12,345.
pub(crate) fn plain(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), thousands);
    let decimals = decimals.trim_end_matches('0');
    let sign = if value < 0.0 { "-" } else { "" };
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{decimals}")
}

/// Formats a number with thousands separators: 12,345.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_for_people() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        let plain = [3.0, 48.5, 2.999_999, 0.5, 12_345.0, 66.67, -1.25].map(plain);
        assert_eq!(plain, ["3", "48.5", "3", "0.5", "12,345", "66.67", "-1.25"]);
    }
}
