//! Where an image lies in a padded frame.

use pleach_core::{Rng, config};

/// Where an image lies in a frame that is larger.
#[config]
#[derive(Default)]
pub enum Position {
    /// In the middle; a pixel that is left over goes to the right or below.
    #[default]
    Center,
    /// On the left, at the top.
    TopLeft,
    /// On the right, at the top.
    TopRight,
    /// On the left, at the bottom.
    BottomLeft,
    /// On the right, at the bottom.
    BottomRight,
    /// Anywhere, each place equally likely.
    Random,
}

impl Position {
    /// Of so many columns and rows of padding, those on the left and those at the top.
    pub(crate) fn before(self, rng: &mut Rng, columns: i64, rows: i64) -> (i64, i64) {
        let mut any = |n: i64| rng.below(n as u64 + 1) as i64;
        match self {
            Self::Center => (columns / 2, rows / 2),
            Self::TopLeft => (0, 0),
            Self::TopRight => (columns, 0),
            Self::BottomLeft => (0, rows),
            Self::BottomRight => (columns, rows),
            Self::Random => (any(columns), any(rows)),
        }
    }
}
