//! What happened to a row, so that what is predicted on the rest of it can be brought back (test-time augmentation).

use crate::warp::{Border, Interpolation};
use crate::{Result, Row, Warp};

/// Undoes on a prediction what an augmentation's `edit` did.
pub type Unedit = Box<dyn Fn(&mut Row) + Send + Sync>;

/// One step on the way.
enum Step {
    /// A map, as the map back.
    Map(Box<Warp>),
    /// An edit.
    Edit(Unedit),
}

/// The way of a row through augmentations.
#[derive(Default)]
pub struct Trail {
    steps: Vec<Step>,
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.back()).finish()
    }
}

impl Trail {
    /// Notes a map of frames of this width and height.
    ///
    /// # Errors
    /// It has no inverse.
    pub(super) fn moved(&mut self, warp: &Warp, source: (usize, usize)) -> Result<()> {
        // What lies outside of the view was not seen: nothing is predicted there, whatever the view's border showed.
        let back = Warp {
            border: Border::Constant { fill: [0.0; 4], map_fill: 0 },
            interpolation: Interpolation::Bilinear,
            min_visibility: 0.0,
            min_area: 0.0,
            ..warp.inverse(source)?
        };
        self.steps.push(Step::Map(Box::new(back)));
        Ok(())
    }

    /// Notes what undoes an edit.
    pub(super) fn edited(&mut self, unedit: Unedit) {
        self.steps.push(Step::Edit(unedit));
    }

    /// Whether nothing was moved: what is predicted for pixels is where it belongs.
    pub fn stays(&self) -> bool {
        self.back().next().is_none()
    }

    /// The maps back, in the order in which they are to be applied.
    pub fn back(&self) -> impl Iterator<Item = &Warp> {
        self.steps.iter().rev().filter_map(|step| match step {
            Step::Map(back) => Some(&**back),
            Step::Edit(_) => None,
        })
    }

    /// Brings a prediction back: its maps, masks, boxes, outlines and points are those of the row as it was.
    ///
    /// # Errors
    /// Its maps and masks do not have the size of the frames on which it was made.
    pub fn undo(&self, predicted: &mut Row) -> Result<()> {
        for step in self.steps.iter().rev() {
            match step {
                Step::Map(back) => back.apply(predicted)?,
                Step::Edit(unedit) => unedit(predicted),
            }
        }
        Ok(())
    }
}
