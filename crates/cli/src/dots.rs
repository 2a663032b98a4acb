//! Curves in a terminal, of eight dots a character.

/// Characters across and down.
const WIDTH: usize = 64;
const HEIGHT: usize = 10;

/// The first of the characters that are made of dots; the dots of the others follow from its number.
const BLANK: u32 = 0x2800;

/// The bit of each dot of a character, by row and column.
const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// Curves over the same axes as lines of text; points count from 0, and what is not finite is a gap.
pub fn plot(curves: &[&[f64]]) -> Vec<String> {
    let finite = || curves.iter().flat_map(|c| c.iter()).copied().filter(|v| v.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let length = curves.iter().map(|c| c.len()).max().unwrap_or(0);
    if low > high || length == 0 {
        return Vec::new();
    }
    // What is never negative has an axis that begins at 0.
    let low = if low >= 0.0 { 0.0 } else { low };
    let high = if high > low { high } else { low + 1.0 };
    let mut cells = vec![[0u32; WIDTH]; HEIGHT];
    for curve in curves {
        let mut before: Option<usize> = None;
        for x in 0..2 * WIDTH {
            let (from, to) =
                (x * length / (2 * WIDTH), ((x + 1) * length / (2 * WIDTH)).max(x * length / (2 * WIDTH) + 1));
            let rows: Vec<usize> = curve
                .get(from.min(curve.len())..to.min(curve.len()))
                .unwrap_or_default()
                .iter()
                .filter(|v| v.is_finite())
                .map(|v| ((high - v) / (high - low) * (4 * HEIGHT - 1) as f64).round() as usize)
                .collect();
            let (Some(&first), Some(&last)) = (rows.first(), rows.last()) else {
                before = None;
                continue;
            };
            // A jump is drawn as a line down or up.
            let start = before.unwrap_or(first);
            let all = rows.iter().copied().chain([start]);
            let (top, bottom) = all.fold((usize::MAX, 0), |(a, b), y| (a.min(y), b.max(y)));
            for y in top..=bottom {
                if let Some(cell) = cells.get_mut(y / 4).and_then(|row| row.get_mut(x / 2)) {
                    *cell |= BITS[y % 4][x % 2];
                }
            }
            before = Some(last);
        }
    }
    let label = |row: usize| match row {
        0 => short(high),
        r if r == HEIGHT - 1 => short(low),
        _ => String::new(),
    };
    let width = label(0).len().max(label(HEIGHT - 1).len());
    let line = |(row, cells): (usize, &[u32; WIDTH])| {
        let dots: String = cells.iter().filter_map(|bits| char::from_u32(BLANK + bits)).collect();
        format!("{:>width$} ┤{}", label(row), dots.trim_end_matches('\u{2800}'))
    };
    let mut all: Vec<String> = cells.iter().enumerate().map(line).collect();
    let end = length.to_string();
    all.push(format!("{:width$} └{}", "", "─".repeat(WIDTH)));
    all.push(format!("{:width$}  0{end:>1$}", "", WIDTH - 1));
    all
}

/// A number with four digits that count.
pub fn short(x: f64) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        size if (1e-3..1e5).contains(&size) => {
            let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{x:.digits$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        _ => format!("{x:.3e}").replace(".000e", "e"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_line_goes_from_the_upper_left_to_the_lower_right() {
        let line: Vec<f64> = (0..=1000).map(|i| 0.1 * (1000 - i) as f64 / 1000.0).collect();
        let drawn = plot(&[&line]);
        assert_eq!(drawn.len(), HEIGHT + 2);
        let first = drawn[0].strip_prefix("0.1 ┤").and_then(|dots| dots.chars().next());
        assert!(first.is_some_and(|c| (c as u32 - BLANK) & 1 == 1), "the upper left dot: {}", drawn[0]);
        assert!(drawn[HEIGHT - 1].starts_with("  0 ┤⠀"), "{}", drawn[HEIGHT - 1]);
        assert!(
            drawn[HEIGHT - 1].ends_with('⣀') || drawn[HEIGHT - 1].ends_with('⢄') || drawn[HEIGHT - 1].ends_with('⣄')
        );
        assert!(drawn[HEIGHT + 1].ends_with("1001"));
    }

    #[test]
    fn what_has_no_number_has_no_picture() {
        assert!(plot(&[]).is_empty() && plot(&[&[f64::NAN]]).is_empty());
        assert_eq!([0.003, 1.5e-7, 12345.0, 0.1, 0.0].map(short), ["0.003", "1.500e-7", "12345", "0.1", "0"]);
    }
}
