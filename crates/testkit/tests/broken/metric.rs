//! Metrics that break a law.

use pleach_core::kinds::metric::Part;
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[
    ("MeanOfMeans", &["parts, merged in any order"]),
    ("Absent", &["saved after any sample"]),
    ("Loud", &["names in snake case"]),
];

/// The share of right labels, merged as the mean of shares.
#[plugin(metric)]
struct MeanOfMeans {}

#[state]
struct Share {
    right: f64,
    seen: f64,
}

impl Metric for MeanOfMeans {
    type State = Share;
    fn start(&self, _: &DataInfo) -> Share {
        Share { right: 0.0, seen: 0.0 }
    }
    fn update(&self, state: &mut Share, predicted: &Row, truth: &Row) -> Result<()> {
        state.right += f64::from(u8::from(predicted.labels.class == truth.labels.class));
        state.seen += 1.0;
        Ok(())
    }
    fn merge(&self, state: &mut Share, other: Share) {
        state.right = (state.right / state.seen + other.right / other.seen) / 2.0;
        state.seen = 1.0;
    }
    fn values(&self, state: &Share) -> Named<f64> {
        Named::one("share", state.right / state.seen)
    }
    fn better(&self) -> Better {
        Better::Higher
    }
    fn reads(&self) -> Part {
        Part::Labels
    }
}

macro_rules! share {
    ($name:ident, $state:ty, $key:literal) => {
        impl Metric for $name {
            type State = $state;
            fn start(&self, _: &DataInfo) -> $state {
                Default::default()
            }
            fn update(&self, state: &mut $state, predicted: &Row, truth: &Row) -> Result<()> {
                state.right += u64::from(predicted.labels.class == truth.labels.class);
                state.all += 1;
                Ok(())
            }
            fn merge(&self, state: &mut $state, other: $state) {
                state.right += other.right;
                state.all += other.all;
            }
            fn values(&self, state: &$state) -> Named<f64> {
                Named::one($key, state.right as f64 / state.all as f64)
            }
            fn better(&self) -> Better {
                Better::Higher
            }
            fn reads(&self) -> Part {
                Part::Labels
            }
        }
    };
}

/// The share of right labels, which loses how many there were.
#[plugin(metric)]
struct Absent {}

#[state]
#[derive(Default)]
struct Half {
    right: u64,
    #[serde(skip)]
    all: u64,
}

share!(Absent, Half, "share");

/// The share of right labels under a name that is no column.
#[plugin(metric)]
struct Loud {}

#[state]
#[derive(Default)]
struct Full {
    right: u64,
    all: u64,
}

share!(Loud, Full, "Share, %");
