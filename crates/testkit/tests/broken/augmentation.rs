//! Augmentations that break a law.

use crate::hidden;
use pleach_core::image::{Image, Pixels};
use pleach_core::*;
use std::sync::Arc;

pub const BREAKS: &[(&str, &[&str])] = &[
    ("Halving", &["stays whole"]),
    ("Restless", &["a draw is data", "kernel of a touch"]),
    ("Parted", &["kernel of a touch"]),
];

fn chance(rng: &mut Rng) -> Option<u32> {
    rng.chance(0.7).then(|| rng.next_u32())
}

fn shift(image: &mut Image, by: u8) {
    if let Pixels::U8(all) = &mut image.pixels {
        all.iter_mut().for_each(|x| *x = x.wrapping_add(by));
    }
}

/// Drops masks and leaves the boxes.
#[plugin(augmentation)]
struct Halving {}

impl Augmentation for Halving {
    type Draw = u32;
    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<u32>> {
        Ok(chance(rng))
    }
    fn edit(&self, draw: &u32, row: &mut Row) -> Result<()> {
        if let Some(i) = row.instances.get_mut(*draw as usize % 4) {
            i.mask = None;
        }
        Ok(())
    }
}

/// Brightens by an amount that it draws anew each time.
#[plugin(augmentation)]
struct Restless {}

impl Augmentation for Restless {
    type Draw = u32;
    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<u32>> {
        Ok(chance(rng))
    }
    fn touches(&self) -> bool {
        true
    }
    fn touch(&self, _: &u32, image: &mut Image) -> Result<()> {
        shift(image, (hidden() % 100) as u8);
        Ok(())
    }
}

/// Brightens by a drawn amount, and by another in its kernel.
#[plugin(augmentation)]
struct Parted {}

impl Augmentation for Parted {
    type Draw = u32;
    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<u32>> {
        Ok(chance(rng))
    }
    fn touches(&self) -> bool {
        true
    }
    fn touch(&self, draw: &u32, image: &mut Image) -> Result<()> {
        shift(image, (draw % 50) as u8);
        Ok(())
    }
    fn fused(&self, draw: &u32) -> Option<FusedTouch> {
        let by = (draw % 50) as u8 + 5;
        let body = move |image: &Image| {
            let mut image = image.clone();
            shift(&mut image, by);
            Ok(image)
        };
        Some(FusedTouch { name: "parted", cpu: Arc::new(body) })
    }
}
