//! Key points left out.

use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin, state};

/// Makes key points of some names invisible in all instances of a row.
///
/// Follows `NodeDropout` of DREEM: of the names whose number in `[0, 1)` is less than `drop_prob`, the `n` with the
/// greatest numbers are missing. `drop_prob` is its `p`; `p` here says how often the whole applies.
#[plugin(augmentation, cite = "https://github.com/talmolab/dreem")]
pub struct NodeDropout {
    /// The probability of each name.
    #[plugin(default = 0.0, range = 0.0..=1.0)]
    pub drop_prob: f64,
    /// At most so many names.
    #[plugin(default = 0)]
    pub n: usize,
}

/// What was decided.
#[state]
pub struct DroppedNodes {
    /// The names of the missing key points.
    pub names: Vec<String>,
}

impl Augmentation for NodeDropout {
    type Draw = DroppedNodes;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<DroppedNodes>> {
        let points = row.row.instances.iter().flat_map(|i| &i.points);
        let mut names: Vec<String> = points.map(|p| p.name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        let mut drawn: Vec<(f64, String)> = names.into_iter().map(|name| (rng.uniform(), name)).collect();
        drawn.retain(|(number, _)| *number < self.drop_prob);
        drawn.sort_by(|a, b| b.0.total_cmp(&a.0));
        drawn.truncate(self.n);
        let names: Vec<String> = drawn.into_iter().map(|(_, name)| name).collect();
        Ok((!names.is_empty()).then_some(DroppedNodes { names }))
    }

    fn edit(&self, draw: &DroppedNodes, row: &mut Row) -> Result<()> {
        for point in row.instances.iter_mut().flat_map(|i| &mut i.points) {
            if draw.names.iter().any(|name| **name == *point.name) {
                point.visible = false;
            }
        }
        Ok(())
    }
}
