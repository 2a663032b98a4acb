//! Instances left out.

use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin, state};

/// Drops instances whole, with a probability each and at most `n` in a frame.
///
/// Follows `InstanceDropout` of DREEM: of the instances of a frame whose number in `[0, 1)` is less than `drop_prob`, the
/// `n` with the greatest numbers go. `drop_prob` is its `p`; `p` here says how often the whole applies.
#[plugin(augmentation, cite = "https://github.com/talmolab/dreem")]
pub struct InstanceDropout {
    /// The probability of each instance.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub drop_prob: f64,
    /// At most so many in a frame.
    #[plugin(default = 0)]
    pub n: usize,
}

/// What was decided.
#[state]
pub struct DroppedInstances {
    /// Their places in the row's list, in order.
    pub places: Vec<usize>,
}

impl Augmentation for InstanceDropout {
    type Draw = DroppedInstances;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<DroppedInstances>> {
        let drawn: Vec<f64> = row.row.instances.iter().map(|_| rng.uniform()).collect();
        let mut places = Vec::new();
        for frame in 0..row.row.frames.len() {
            let of_frame = row.row.instances.iter().zip(&drawn).enumerate();
            let mut here: Vec<(f64, usize)> = of_frame
                .filter(|(_, (i, number))| i.frame as usize == frame && **number < self.drop_prob)
                .map(|(place, (_, number))| (*number, place))
                .collect();
            here.sort_by(|a, b| b.0.total_cmp(&a.0));
            places.extend(here.into_iter().take(self.n).map(|(_, place)| place));
        }
        places.sort_unstable();
        Ok((!places.is_empty()).then_some(DroppedInstances { places }))
    }

    fn edit(&self, draw: &DroppedInstances, row: &mut Row) -> Result<()> {
        let mut place = 0;
        row.instances.retain(|_| {
            place += 1;
            draw.places.binary_search(&(place - 1)).is_err()
        });
        Ok(())
    }
}
