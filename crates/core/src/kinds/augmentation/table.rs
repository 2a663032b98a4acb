//! Changes of pixels that look every sample up in a table, and can therefore be folded into one.

use crate::image::{Image, Pixels};
use pleach_simd::{append_widened, translate, translate_rgb};

/// For each channel of an 8-bit image, or for all of them, what becomes of each value.
#[derive(Debug, Clone, PartialEq)]
pub enum Table {
    /// 8 bits again.
    Bytes(Vec<[u8; 256]>),
    /// Floats: nothing can follow in 8 bits.
    Floats(Vec<[f32; 256]>),
}

impl Table {
    /// First this table, then the next one; `None` where that does not read 8 bits.
    #[must_use]
    pub fn then(&self, next: &Self) -> Option<Self> {
        let Self::Bytes(first) = self else { return None };
        let n = first.len().max(next.channels());
        let of = |c: usize| first.get(c).or_else(|| first.first());
        Some(match next {
            Self::Bytes(all) => Self::Bytes(joined(n, of, |c| all.get(c).or_else(|| all.first()))),
            Self::Floats(all) => Self::Floats(joined(n, of, |c| all.get(c).or_else(|| all.first()))),
        })
    }

    fn channels(&self) -> usize {
        match self {
            Self::Bytes(all) => all.len(),
            Self::Floats(all) => all.len(),
        }
    }

    /// Whether it is for images of so many channels.
    pub fn fits(&self, channels: usize) -> bool {
        self.channels() == 1 || self.channels() == channels
    }

    /// Looks up every sample of an 8-bit image; others stay as they are.
    pub fn apply(&self, image: &mut Image) {
        let Pixels::U8(samples) = &mut image.pixels else { return };
        match self {
            Self::Bytes(tables) => match tables.as_slice() {
                [one] => translate(samples, one),
                [red, green, blue] if image.channels == 3 => translate_rgb(samples, [red, green, blue]),
                many => {
                    for pixel in samples.chunks_exact_mut(image.channels) {
                        pixel.iter_mut().zip(many).for_each(|(v, table)| *v = table[usize::from(*v)]);
                    }
                }
            },
            Self::Floats(tables) => {
                let mut out = Vec::with_capacity(samples.len());
                if let [one] = tables.as_slice() {
                    append_widened(samples, one, &mut out);
                    image.pixels = Pixels::F32(out);
                    return;
                }
                let pixels = (LINE / image.channels.max(1)).max(1);
                let mut line = vec![0f32; pixels * image.channels.max(1)];
                for samples in samples.chunks(line.len()) {
                    let line = &mut line[..samples.len()];
                    widen(tables, image.channels, samples, line);
                    out.extend_from_slice(line);
                }
                image.pixels = Pixels::F32(out);
            }
        }
    }
}

/// Samples that become floats together, in the cache, before they are put behind the others.
const LINE: usize = 3072;

fn widen(tables: &[[f32; 256]], channels: usize, samples: &[u8], out: &mut [f32]) {
    match tables {
        [red, green, blue] if channels == 3 => {
            let pixels = samples.as_chunks::<3>().0.iter();
            for ([r, g, b], [x, y, z]) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                (*r, *g, *b) = (red[usize::from(*x)], green[usize::from(*y)], blue[usize::from(*z)]);
            }
        }
        many => {
            for (out, pixel) in out.chunks_exact_mut(channels).zip(samples.chunks_exact(channels)) {
                let each = out.iter_mut().zip(pixel).zip(many);
                each.for_each(|((o, v), table)| *o = table[usize::from(*v)]);
            }
        }
    }
}

fn joined<'a, T: Copy + Default + 'a>(
    n: usize,
    first: impl Fn(usize) -> Option<&'a [u8; 256]>,
    next: impl Fn(usize) -> Option<&'a [T; 256]>,
) -> Vec<[T; 256]> {
    let one = |c: usize| {
        let (first, next) = (first(c)?, next(c)?);
        Some(first.map(|v| next[usize::from(v)]))
    };
    (0..n).map(|c| one(c).unwrap_or([T::default(); 256])).collect()
}
