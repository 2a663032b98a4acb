//! Levels stretched to the whole range.

use super::grid::{Done, as_bytes, by_type};
use super::table::{histograms, look_up};
use pleach_core::image::Image;
use pleach_core::{Augmentation, Result, Rng, RowView, config, plugin};

/// Stretches the levels of each channel from black to white.
///
/// Follows `AutoContrast` of Albumentations 2.0.8, to the bit: 8 bits by a table from the image's own counts.
/// With the least and greatest level `lo` and `hi`, `pil` maps `i` to `round(255 (i - lo) / (hi - lo))` and `cdf`
/// to its share of the running sum between them. Its counts leave out level 255. Unlike there, a channel is not
/// skipped whose number is that of the level to `ignore`. It needs the counts of the whole image, so it is done
/// on the host. torchvision's `RandomAutocontrast` stands beside it.
#[plugin(augmentation, cite = "Albumentations 2.0.8, AutoContrast")]
pub struct AutoContrast {
    /// Percentage of pixels that is left out at each end, 0 to 100.
    #[plugin(default = 0.0, range = 0.0..=100.0)]
    pub cutoff: f64,
    /// A level that is neither counted nor changed.
    pub ignore: Option<u8>,
    /// By which curve.
    #[plugin(default = Curve::Cdf)]
    pub method: Curve,
}

/// Stretches the samples of each channel from black to white: `(x - min) white / (max - min)`.
///
/// Follows `RandomAutocontrast` of torchvision's v2 transforms; fractions are dropped.
#[plugin(augmentation, cite = "torchvision 0.29, v2.RandomAutocontrast")]
pub struct RandomAutocontrast {}

/// How levels are stretched.
#[config]
pub enum Curve {
    /// By the running sum of the counts.
    Cdf,
    /// In proportion, as Pillow does.
    Pil,
}

impl AutoContrast {
    fn bounds(&self, counts: &[u32; 256]) -> (usize, usize) {
        let total: u32 = counts.iter().sum();
        if self.cutoff == 0.0 || total == 0 {
            let first = counts.iter().position(|&n| n > 0).unwrap_or(0);
            return (first, counts.iter().rposition(|&n| n > 0).unwrap_or(0));
        }
        if counts.iter().all(|&n| n == counts[0]) {
            let low = (256.0 * self.cutoff / 100.0) as usize;
            return (low, 255_usize.saturating_sub(low));
        }
        let cut = f64::from(total) * self.cutoff / 100.0;
        let reaches = |sum: &mut u32, n: u32| {
            *sum += n;
            f64::from(*sum) >= cut
        };
        let mut sum = 0;
        let low = counts.iter().position(|&n| reaches(&mut sum, n)).map_or(0, |i| (i + 1).min(255));
        sum = 0;
        let high = counts.iter().rposition(|&n| reaches(&mut sum, n)).unwrap_or(255);
        if low > high { (127, 127) } else { (low, high) }
    }

    fn entries(&self, mut counts: [u32; 256]) -> [u8; 256] {
        // OpenCV's count over a range leaves out the range's end.
        counts[255] = 0;
        if let Some(level) = self.ignore {
            counts[usize::from(level)] = 0;
        }
        let identity: [u8; 256] = std::array::from_fn(|i| i as u8);
        let (low, high) = self.bounds(&counts);
        if high <= low {
            return identity;
        }
        let mut table: [u8; 256] = std::array::from_fn(|i| if i > high { 255 } else { 0 });
        let between = low..=high;
        match self.method {
            Curve::Cdf => {
                // Single precision, as the counts are floats there.
                let first = counts[low];
                let all: u32 = counts[between.clone()].iter().sum();
                if all == 0 {
                    return identity;
                }
                let mut sum = 0;
                for (entry, n) in table[between.clone()].iter_mut().zip(&counts[between]) {
                    sum += n;
                    let share = (sum - first) as f32 * 255.0 / (all - first) as f32;
                    *entry = share.round_ties_even().clamp(0.0, 255.0) as u8;
                }
            }
            Curve::Pil => {
                let scale = 255.0 / (high - low) as f64;
                for (i, entry) in table[between].iter_mut().enumerate() {
                    *entry = (i as f64 * scale).round_ties_even().clamp(0.0, 255.0) as u8;
                }
            }
        }
        if let Some(level) = self.ignore {
            table[usize::from(level)] = level;
        }
        table
    }
}

impl Augmentation for AutoContrast {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        as_bytes(image, |grid| {
            let tables: Vec<_> = histograms(grid).into_iter().map(|counts| self.entries(counts)).collect();
            look_up(grid, &tables);
            Ok(())
        })
    }

    fn reduces(&self) -> bool {
        true
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}

impl Augmentation for RandomAutocontrast {
    type Draw = Done;

    fn draw(&self, _: &mut Rng, _: &RowView<'_>) -> Result<Option<Done>> {
        Ok(Some(Done {}))
    }

    fn touch(&self, _: &Done, image: &mut Image) -> Result<()> {
        by_type(
            image,
            |grid| {
                let stretch = |counts: &[u32; 256]| {
                    let low = counts.iter().position(|&n| n > 0).unwrap_or(0);
                    let high = counts.iter().rposition(|&n| n > 0).unwrap_or(0);
                    let scale = if high > low { (high - low) as f32 * (1.0 / 255.0) } else { 1.0 };
                    let low = if high > low { low as f32 } else { 0.0 };
                    std::array::from_fn(|i| ((i as f32 - low) / scale).clamp(0.0, 255.0) as u8)
                };
                let tables: Vec<_> = histograms(grid).iter().map(stretch).collect();
                look_up(grid, &tables);
                Ok(())
            },
            |grid| {
                let (n, channels) = (grid.samples.len(), grid.channels);
                for c in 0..channels.min(n) {
                    let of_channel = || grid.samples.iter().skip(c).step_by(channels).copied();
                    let (low, high) =
                        of_channel().fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(x), high.max(x)));
                    if high > low {
                        for x in grid.samples.iter_mut().skip(c).step_by(channels) {
                            *x = ((*x - low) / (high - low)).clamp(0.0, 1.0);
                        }
                    }
                }
                Ok(())
            },
        )
    }

    fn reduces(&self) -> bool {
        true
    }

    fn touches(&self) -> bool {
        true
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
