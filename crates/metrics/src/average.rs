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
    /// Of class 1 alone against the rest: the positive one of two.
    Binary,
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
    /// The mean over classes, each weighted by its samples: the same number as `micro`.
    Weighted,
    /// The plain mean over classes, and after it the share of each class under the class's name.
    None,
}

/// The values of a score of classes: its mean as `name` (`name_micro`, `name_weighted`, `name_binary`) and, with
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
        Average::Binary => {
            if let Some((.., v)) = scores.iter().find(|s| s.0 == 1) {
                values.insert(format!("{name}_binary"), *v);
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

/// How the shares of the classes of maps become one.
#[config]
#[derive(Default)]
pub enum MapAverage {
    /// The plain mean over the classes that the truth or the predictions hold.
    #[default]
    Macro,
    /// Over the pixels of all classes together.
    Micro,
    /// The mean over classes, each weighted by its true pixels.
    Weighted,
}

/// The values of a share of each class of maps.
pub(crate) struct PerClass<'a> {
    /// The name of the main value, before `_micro` or `_weighted`.
    pub(crate) name: &'a str,
    /// What stands before the class in the names of the classes' own values.
    pub(crate) each: &'a str,
    /// How the main value is made.
    pub(crate) average: &'a MapAverage,
    /// Whether class 0 counts.
    pub(crate) background: bool,
}

impl PerClass<'_> {
    /// The main value and each class's own; undefined ones are left out.
    pub(crate) fn values(&self, m: &Confusion, share: impl Fn(Tally) -> Option<f64>) -> Named<f64> {
        let classes = m.present().filter(|(c, _)| self.background || *c > 0);
        let shares: Vec<(usize, Tally, f64)> = classes.filter_map(|(c, t)| share(t).map(|v| (c, t, v))).collect();
        let main = match self.average {
            MapAverage::Macro => mean(shares.iter().map(|s| s.2)).map(|v| (self.name.to_owned(), v)),
            MapAverage::Micro => {
                let all = shares.iter().fold(Tally { hit: 0, missed: 0, wrong: 0 }, |all, (_, t, _)| Tally {
                    hit: all.hit + t.hit,
                    missed: all.missed + t.missed,
                    wrong: all.wrong + t.wrong,
                });
                share(all).map(|v| (format!("{}_micro", self.name), v))
            }
            MapAverage::Weighted => {
                let support: u64 = shares.iter().map(|s| s.1.support()).sum();
                let sum: f64 = shares.iter().map(|s| s.1.support() as f64 * s.2).sum();
                (support > 0).then(|| (format!("{}_weighted", self.name), sum / support as f64))
            }
        };
        let each = shares.iter().map(|&(c, _, v)| (format!("{}_{}", self.each, m.key(c)), v));
        main.into_iter().chain(each).collect()
    }
}
