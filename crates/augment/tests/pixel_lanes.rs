//! Samples that are worked on side by side become what each would become alone, whatever the size of the image.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{alone, noise_of, stream};
use pleach_augment::pixel::{
    Blur, ColorJitter, Downscale, GaussianBlur, GrayMethod, HueSaturationValue, InvertImg, Jitter, KernelSizes,
    MedianBlur, Sharpen, ToGray,
};
use pleach_core::image::{Image, Pixels};
use pleach_core::{Augmentation, RowView};
use proptest::prelude::{ProptestConfig, any, proptest};

fn drawn<A: Augmentation>(plugin: &A, image: &Image, seed: u32) -> A::Draw {
    let row = alone(image.clone());
    let view = RowView { row: &row, size: (image.width, image.height) };
    plugin.draw(&mut stream(seed.into()), &view).unwrap().unwrap()
}

fn touched<A: Augmentation>(plugin: &A, draw: &A::Draw, image: &Image) -> Image {
    let mut image = image.clone();
    plugin.touch(draw, &mut image).unwrap();
    image
}

/// Some of the samples as an image of their own.
fn part(image: &Image, (w, h): (usize, usize), channels: usize, keep: impl Fn(usize) -> bool) -> Image {
    fn some<T: Copy>(all: &[T], keep: impl Fn(usize) -> bool) -> Vec<T> {
        all.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, x)| *x).collect()
    }
    let pixels = match &image.pixels {
        Pixels::U8(v) => Pixels::U8(some(v, keep)),
        Pixels::U16(v) => Pixels::U16(some(v, keep)),
        Pixels::F32(v) => Pixels::F32(some(v, keep)),
    };
    Image::new(w, h, channels, pixels).unwrap()
}

fn channels_are_apart<A: Augmentation>(plugin: &A, image: &Image, seed: u32) {
    let draw = drawn(plugin, image, seed);
    let (all, c, size) = (touched(plugin, &draw, image), image.channels, (image.width, image.height));
    for k in 0..c {
        let alone = touched(plugin, &draw, &part(image, size, 1, |i| i % c == k));
        assert_eq!(part(&all, size, 1, |i| i % c == k), alone, "channel {k} of {plugin:?} {draw:?}");
    }
}

fn pixels_are_apart<A: Augmentation>(plugin: &A, draw: &A::Draw, image: &Image) {
    let (all, c) = (touched(plugin, draw, image), image.channels);
    for k in 0..image.width * image.height {
        let alone = touched(plugin, draw, &part(image, (1, 1), c, |i| i / c == k));
        let same = part(&all, (1, 1), all.channels, |i| i / all.channels == k);
        assert_eq!(same, alone, "pixel {k} of {plugin:?} {draw:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn channels_do_not_see_each_other(
        w in 1_usize..80, h in 1_usize..9, channels in 2_usize..6, kind in 0_u8..3, seed in any::<u32>(),
    ) {
        let image = noise_of((w, h), channels, kind, seed.into());
        for size in [3.0, 5.0, 7.0, 9.0] {
            channels_are_apart(&MedianBlur { blur_limit: KernelSizes(size, size) }, &image, seed);
        }
        channels_are_apart(&Sharpen::default(), &image, seed);
        channels_are_apart(&Downscale::default(), &image, seed);
        channels_are_apart(&InvertImg::default(), &image, seed);
        channels_are_apart(&Blur::default(), &image, seed);
        channels_are_apart(&GaussianBlur::default(), &image, seed);
    }

    #[test]
    fn pixels_do_not_see_each_other(w in 1_usize..600, kind in 0_u8..3, seed in any::<u32>()) {
        let image = noise_of((w, 1), 3, kind, seed.into());
        for method in [GrayMethod::WeightedAverage, GrayMethod::FromLab, GrayMethod::Max] {
            for num_output_channels in [1, 3, 4] {
                let plugin = ToGray { num_output_channels, method };
                pixels_are_apart(&plugin, &drawn(&plugin, &image, seed), &image);
            }
        }
        let plugin = HueSaturationValue::default();
        pixels_are_apart(&plugin, &drawn(&plugin, &image, seed), &image);
        // All but the contrast, which is against the mean of all pixels.
        let jitter = Jitter { brightness: 1.1, contrast: 1.0, saturation: 0.7, hue: 0.3, order: vec![3, 0, 2, 1] };
        pixels_are_apart(&ColorJitter::default(), &jitter, &image);
    }
}
