//! Pastes objects of another picture.

use super::pixels::{fitted, paste_inside, uncovered};
use pleach_core::rng::{Purpose, Stream};
use pleach_core::{Augmentation, Result, Rng, Row, RowView, plugin, state};

/// Copies objects with masks out of another sample and pastes them at their places (Ghiasi and others, 2021).
///
/// Each object of the partner is taken with the probability `object_p`. Masks of the sample's own objects lose what is
/// covered; an object of which less than `min_left` is left is dropped whole, as is one without a mask whose box
/// has its middle covered. Maps of classes get the partner's classes where something is pasted.
#[plugin(augmentation, cite = "arXiv:2012.07177")]
pub struct CopyPaste {
    /// How likely each object of the partner is pasted.
    #[plugin(default = 0.5, range = 0.0..=1.0)]
    pub object_p: f64,
    /// The least share of an own object that must stay visible.
    #[plugin(default = 0.1, range = 0.0..=1.0)]
    pub min_left: f64,
}

/// What was decided.
#[state]
pub struct Pasted {
    /// Says which objects are taken: those of one track are taken together.
    pub seed: u64,
}

impl Augmentation for CopyPaste {
    type Draw = Pasted;

    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<Pasted>> {
        Ok(Some(Pasted { seed: rng.next_u64() }))
    }

    fn looks(&self) -> bool {
        false
    }

    fn partners(&self) -> usize {
        1
    }

    fn mix(&self, draw: &Pasted, row: &mut Row, partners: Vec<Row>) -> Result<()> {
        let size = row.size().unwrap_or_default();
        for partner in partners {
            let partner = fitted(row, partner)?;
            let taken = |n: usize, track: Option<u64>| {
                let sample = track.unwrap_or(n as u64 | 1 << 63);
                let at = Stream { sample, ..Stream::default() };
                Rng::new(draw.seed, Purpose::Augment, at).chance(self.object_p)
            };
            let objects = partner.instances.iter().enumerate();
            let objects: Vec<_> =
                objects.filter(|(n, i)| i.mask.is_some() && taken(*n, i.track)).map(|(_, i)| i.clone()).collect();
            for frame in 0..row.frames.len() {
                let mut inside = vec![0u8; size.0 * size.1];
                for mask in objects.iter().filter(|i| i.frame as usize == frame).filter_map(|i| i.mask.as_ref()) {
                    inside.iter_mut().zip(&mask.inside).for_each(|(a, b)| *a |= *b);
                }
                paste_inside(&mut row.frames[frame].image, &partner.frames[frame].image, &inside);
                let from = partner.maps.iter().find(|m| m.frame as usize == frame);
                let to = row.maps.iter_mut().find(|m| m.frame as usize == frame);
                if let (Some(to), Some(from)) = (to, from) {
                    let pixels = to.classes.iter_mut().zip(&from.classes).zip(&inside);
                    pixels.filter(|(_, i)| **i != 0).for_each(|((to, from), _)| *to = *from);
                }
                let covered = |x: usize, y: usize| inside.get(y * size.0 + x).is_some_and(|v| x < size.0 && *v != 0);
                let old = std::mem::take(&mut row.instances);
                let keep = |i: pleach_core::Instance| {
                    if i.frame as usize == frame { uncovered(i, covered, self.min_left) } else { Some(i) }
                };
                row.instances = old.into_iter().filter_map(keep).collect();
            }
            row.instances.extend(objects);
        }
        Ok(())
    }
}
