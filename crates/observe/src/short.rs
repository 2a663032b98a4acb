//! Numbers as a person reads them.

/// Four digits that count: `0.1234`, `98.31`, `1234`, `3.0e-5`.
pub(crate) fn short(x: f64) -> String {
    let size = x.abs();
    if !x.is_finite() {
        return x.to_string().to_lowercase();
    }
    match size {
        0.0 => "0".into(),
        1000.0..1e6 => format!("{x:.0}"),
        100.0..1000.0 => format!("{x:.1}"),
        10.0..100.0 => format!("{x:.2}"),
        1.0..10.0 => format!("{x:.3}"),
        0.001..1.0 => format!("{x:.4}"),
        _ => format!("{x:.1e}"),
    }
}

/// `42s`, `3m05s`, `2h07m`.
pub(crate) fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        _ => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_count() {
        let all: Vec<_> = [0.0, 1e-3, 0.12345, 1.5, 98.3, 123_456.0, 3e-5, -2e9, f64::NAN].map(short).into();
        assert_eq!(all, ["0", "0.0010", "0.1235", "1.500", "98.30", "123456", "3.0e-5", "-2.0e9", "nan"]);
        assert_eq!([5.2, 65.0, 7620.0].map(duration), ["5s", "1m05s", "2h07m"]);
    }
}
