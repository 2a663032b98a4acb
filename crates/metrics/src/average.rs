//! Turns scores of single classes into one number, as the user chose.

use crate::confusion::{Confusion, Tally, mean};
use pleach_core::{Named, config};

/// How the scores of the classes become one.
#[config]
#[derive(Default)]
pub enum Average {
    /// The plain mean over the classes that the truth or the predictions hold.
    #[default]
    Macro,
    /// Over all samples, without regard to their classes.
    Micro,
    /// The mean over classes, each weighted by how many samples are of it.
    Weighted,
    /// The macro mean, and after it the score of each class under the class's name.
    None,
}

/// Over what a share of right predictions is taken.
#[config]
#[derive(Default)]
pub enum AverageOver {
    /// Over all samples (or pixels), without regard to their classes.
    #[default]
    Micro,
    /// The plain mean over classes of the share that is right in each.
    Macro,
}

/// The values of a score of classes: its mean as `name` (`name_micro`, `name_weighted`) and, with
/// [`Average::None`], `name_<class>` for each class. Undefined values are left out.
pub(crate) fn summary(name: &str, m: &Confusion, average: Average, score: impl Fn(Tally) -> f64) -> Named<f64> {
    let scores: Vec<(usize, Tally, f64)> = m.present().map(|(c, tally)| (c, tally, score(tally))).collect();
    let mut values = Named::new();
    match average {
        Average::Macro | Average::None => {
            if let Some(v) = mean(scores.iter().map(|s| s.2)) {
                values.insert(name, v);
            }
        }
        Average::Micro => {
            let (total, hit) = (m.total(), m.correct());
            // With one prediction for each truth, whatever is missed by one class is wrong for another.
            if total > 0 {
                values.insert(format!("{name}_micro"), score(Tally { hit, missed: total - hit, wrong: total - hit }));
            }
        }
        Average::Weighted => {
            let support: u64 = scores.iter().map(|s| s.1.support()).sum();
            if support > 0 {
                let sum: f64 = scores.iter().map(|s| s.1.support() as f64 * s.2).sum();
                values.insert(format!("{name}_weighted"), sum / support as f64);
            }
        }
    }
    if average == Average::None {
        for (c, _, v) in scores {
            values.insert(format!("{name}_{}", m.key(c)), v);
        }
    }
    values
}

/// The mean over classes of `share` as `name`, and each class's own as `each_<class>`; undefined ones are left out.
pub(crate) fn per_class(
    name: &str,
    each: &str,
    m: &Confusion,
    background: bool,
    share: impl Fn(Tally) -> Option<f64>,
) -> Named<f64> {
    let classes = m.present().filter(|(c, _)| background || *c > 0);
    let shares: Vec<(usize, f64)> = classes.filter_map(|(c, tally)| share(tally).map(|v| (c, v))).collect();
    let mean = mean(shares.iter().map(|s| s.1)).map(|v| (name.to_owned(), v));
    mean.into_iter().chain(shares.iter().map(|&(c, v)| (format!("{each}_{}", m.key(c)), v))).collect()
}
