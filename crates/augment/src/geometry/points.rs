//! What both flips share: that they happen, and that left eyes become right ones.

use pleach_core::{Row, state};

/// That a flip happens; there is nothing else to decide.
#[state]
pub struct Flipped {}

/// Exchanges the names of key points, pair by pair.
pub(crate) fn swap_names(row: &mut Row, pairs: &[(String, String)]) {
    for point in row.instances.iter_mut().flat_map(|i| &mut i.points) {
        for (a, b) in pairs {
            let other = if *point.name == **a {
                b
            } else if *point.name == **b {
                a
            } else {
                continue;
            };
            point.name = other.as_str().into();
            break;
        }
    }
}
