//! Lays two pictures over each other.

use super::pixels::{beta, blend, fitted, labels};
use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin, state};

/// A weighted mean of two samples (Zhang and others, 2018): `lambda x + (1 - lambda) y`, lambda by the beta distribution.
///
/// Follows `MixUp` of torchvision's v2 transforms, sample by sample and with a partner by chance, stretched to the size
/// of the sample. Objects of both stay. The label has the shares of both classes in `scores`, `class` being that of
/// the greater share; a map of classes is that of the greater share.
#[plugin(augmentation, alias = ["Mixup"], cite = ["arXiv:1710.09412", "torchvision 0.29, v2.MixUp"])]
pub struct MixUp {
    /// Both parameters of the beta distribution.
    #[plugin(default = 1.0, above = 0.0)]
    pub alpha: f64,
    /// torchvision's number of classes; without effect here: the task knows it.
    #[plugin(idle)]
    pub num_classes: Option<usize>,
}

/// What was decided.
#[state]
pub struct Mixed {
    /// The weight of the sample; its partner has the rest.
    pub lambda: f64,
}

impl Augmentation for MixUp {
    type Draw = Mixed;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Mixed>> {
        Ok(Some(Mixed { lambda: beta(rng, self.alpha) }))
    }

    fn looks(&self) -> bool {
        false
    }

    fn partners(&self) -> usize {
        1
    }

    fn mix(&self, draw: &Mixed, row: &mut Row, partners: Vec<Row>) -> Result<()> {
        for partner in partners {
            let partner = fitted(row, partner)?;
            for (to, from) in row.frames.iter_mut().zip(&partner.frames) {
                blend(&mut to.image, &from.image, draw.lambda as f32);
            }
            labels(row, &partner, draw.lambda);
            if draw.lambda < 0.5 && !partner.maps.is_empty() {
                row.maps = partner.maps;
            }
            row.instances.extend(partner.instances);
        }
        Ok(())
    }
}
