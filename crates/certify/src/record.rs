//! What replays of a golden file come to for each plugin, for those who want the proof and not the cases.

use crate::file::Golden;
use crate::replay::Outcome;
use pleach_core::certificate::Certificate;
use std::collections::BTreeMap;

/// The certificates that the outcomes of a file's cases amount to, one for each plugin and tolerance. A plugin of which
/// any case failed has none.
pub fn certificates<'o>(
    file: &str,
    golden: &Golden,
    outcomes: impl IntoIterator<Item = &'o Outcome>,
) -> Vec<Certificate> {
    let mut all = BTreeMap::new();
    let mut failed = Vec::new();
    for outcome in outcomes {
        let (Some(kind), Some(plugin)) = (outcome.kind, &outcome.plugin) else { continue };
        if !outcome.passes() {
            failed.push((kind, plugin));
        }
        let mut counted = Vec::new();
        for deviation in outcome.deviations() {
            let new = || Certificate {
                kind: kind.to_owned(),
                plugin: plugin.clone(),
                file: file.to_owned(),
                reference: golden.reference.clone(),
                cases: 0,
                tolerance: deviation.tolerance.words().to_owned(),
                largest_error: 0.0,
                largest_share: 0.0,
            };
            let own = all.entry((kind, plugin, deviation.tolerance)).or_insert_with(new);
            // Two forms of a loss are one case.
            if !counted.contains(&deviation.tolerance) {
                own.cases += 1;
                counted.push(deviation.tolerance);
            }
            own.largest_error = own.largest_error.max(rounded(deviation.error));
            own.largest_share = own.largest_share.max(rounded(deviation.share));
        }
    }
    let holds = |((kind, plugin, _), own)| (!failed.contains(&(kind, plugin))).then_some(own);
    all.into_iter().filter_map(holds).collect()
}

/// Two digits: more are of this machine and not of the plugin.
fn rounded(x: f64) -> f64 {
    format!("{x:.1e}").parse().unwrap_or(x)
}
