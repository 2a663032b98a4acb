//! The table of ratios, as Markdown.

/// Prints its head.
pub fn head() {
    println!("| case | threads | ours ms | peer ms | ours / peer | interval | ours MiB | peer MiB |");
    println!("|---|---|---|---|---|---|---|---|");
}

/// Prints the row of a case: medians, the median ratio of the pairs, and the interval that holds the true median
/// in at least 95 of 100 such measurements.
pub fn row(name: &str, threads: usize, pairs: &[(f64, Option<f64>)], memory: (f64, Option<f64>)) {
    let ours = median(pairs.iter().map(|p| p.0).collect());
    let theirs: Vec<f64> = pairs.iter().filter_map(|p| p.1).collect();
    let ratios: Vec<f64> = pairs.iter().filter_map(|p| Some(p.0 / p.1?)).collect();
    let (ratio, interval) = match ratios.is_empty() {
        true => ("".into(), "".into()),
        false => {
            let (low, high) = interval(ratios.clone());
            (format!("**{:.2}**", median(ratios)), format!("{low:.2} to {high:.2}"))
        }
    };
    let peer = if theirs.is_empty() { String::new() } else { ms(median(theirs)) };
    let peer_memory = memory.1.map(|m| format!("{m:.0}")).unwrap_or_default();
    println!("| {name} | {threads} | {} | {peer} | {ratio} | {interval} | {:.0} | {peer_memory} |", ms(ours), memory.0);
}

fn ms(x: f64) -> String {
    if x < 10.0 { format!("{x:.2}") } else { format!("{x:.1}") }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    let n = all.len();
    let at = |i: usize| all.get(i).copied().unwrap_or(f64::NAN);
    if n.is_multiple_of(2) { (at(n / 2 - n.min(1)) + at(n / 2)) / 2.0 } else { at(n / 2) }
}

/// The order statistics between which the median lies with a probability of at least 0.95 (sign test).
fn interval(mut all: Vec<f64>) -> (f64, f64) {
    all.sort_by(f64::total_cmp);
    let n = all.len();
    // The greatest k for which P(fewer than k of n fair coins show heads) is at most 0.025.
    let (mut k, mut below, mut choose) = (0, 0.0, 1.0);
    for i in 0..n {
        below += choose * 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
        if below > 0.025 {
            break;
        }
        k = i + 1;
        choose *= (n - i) as f64 / (i + 1) as f64;
    }
    let low = k.saturating_sub(1);
    let at = |i: usize| all.get(i).copied().unwrap_or(f64::NAN);
    (at(low), at(n.saturating_sub(1 + low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_fifteen_pairs_is_the_fourth_to_the_twelfth() {
        let all: Vec<f64> = (1..=15).map(f64::from).rev().collect();
        assert_eq!((median(all.clone()), interval(all)), (8.0, (4.0, 12.0)));
    }
}
