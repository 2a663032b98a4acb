//! Channels blanked.

use super::channel_shuffle::permutation;
use super::grid::{by_type, channels};
use super::limits::whole;
use pleach_core::image::Image;
use pleach_core::read::Rules;
use pleach_core::{Augmentation, Error, Result, Rng, RowView, plugin, state};

/// Gives some channels, chosen at random, one value everywhere.
///
/// Follows `ChannelDropout` of Albumentations 2.0.8, which refuses gray images and to drop all channels.
#[plugin(augmentation, cite = "Albumentations 2.0.8, ChannelDropout", check = Self::check)]
pub struct ChannelDropout {
    /// Least and greatest number of channels.
    #[plugin(default = (1, 1), range = 1..)]
    pub channel_drop_range: (u32, u32),
    /// The value, in the image's own levels.
    #[plugin(default = 0.0)]
    pub fill: f64,
}

/// What was decided.
#[state]
pub struct DroppedChannels {
    /// Their numbers.
    pub channels: Vec<usize>,
}

impl ChannelDropout {
    fn check(&self, rules: &mut Rules) {
        if self.channel_drop_range.0 > self.channel_drop_range.1 {
            rules.refuse("channel_drop_range", "the smaller number comes first");
        }
    }
}

/// Sets channels to a value.
fn drop<T: Copy>(samples: &mut [T], all: usize, dropped: &[usize], value: T) {
    for &c in dropped {
        samples.iter_mut().skip(c).step_by(all).for_each(|x| *x = value);
    }
}

impl Augmentation for ChannelDropout {
    type Draw = DroppedChannels;

    fn draw(&self, rng: &mut Rng, row: &RowView<'_>) -> Result<Option<DroppedChannels>> {
        let (n, (low, high)) = (channels(row), self.channel_drop_range);
        if high as usize >= n {
            let message = format!("ChannelDropout drops up to {high} channels, but the image has {n}");
            return Err(Error::new("PL0342", message).hint("at least one channel must be left"));
        }
        let count = whole(rng, low.into(), high.into()) as usize;
        let mut channels = permutation(rng, n);
        channels.truncate(count);
        Ok(Some(DroppedChannels { channels }))
    }

    fn touch(&self, draw: &DroppedChannels, image: &mut Image) -> Result<()> {
        let (all, white) = (image.channels, image.pixels.white());
        by_type(
            image,
            |grid| {
                drop(&mut grid.samples, all, &draw.channels, self.fill.clamp(0.0, 255.0) as u8);
                Ok(())
            },
            |grid| {
                drop(&mut grid.samples, all, &draw.channels, self.fill as f32 / white);
                Ok(())
            },
        )
    }

    fn touches(&self) -> bool {
        true
    }

    fn table(&self, draw: &DroppedChannels, channels: usize) -> Option<Vec<[u8; 256]>> {
        let one = |c: usize| match draw.channels.contains(&c) {
            true => [self.fill.clamp(0.0, 255.0) as u8; 256],
            false => std::array::from_fn(|i| i as u8),
        };
        Some((0..channels).map(one).collect())
    }

    fn default_p(&self) -> f64 {
        0.5
    }
}
