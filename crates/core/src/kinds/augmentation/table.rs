//! Changes of pixels that look every sample up in a table, and can therefore be folded into one.

use crate::image::{Image, Pixels};

/// For each channel of an 8-bit image, or for all of them, what becomes of each value.
#[derive(Debug, Clone)]
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
                [one] => samples.iter_mut().for_each(|v| *v = one[usize::from(*v)]),
                [red, green, blue] if image.channels == 3 => {
                    for [r, g, b] in samples.as_chunks_mut::<3>().0 {
                        (*r, *g, *b) = (red[usize::from(*r)], green[usize::from(*g)], blue[usize::from(*b)]);
                    }
                }
                many => {
                    for pixel in samples.chunks_exact_mut(image.channels) {
                        pixel.iter_mut().zip(many).for_each(|(v, table)| *v = table[usize::from(*v)]);
                    }
                }
            },
            Self::Floats(tables) => {
                let mut out = vec![0f32; samples.len()];
                match tables.as_slice() {
                    [one] => out.iter_mut().zip(samples.iter()).for_each(|(o, v)| *o = one[usize::from(*v)]),
                    [red, green, blue] if image.channels == 3 => {
                        let pixels = samples.as_chunks::<3>().0.iter();
                        for ([r, g, b], [x, y, z]) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                            (*r, *g, *b) = (red[usize::from(*x)], green[usize::from(*y)], blue[usize::from(*z)]);
                        }
                    }
                    many => {
                        let pixels = samples.chunks_exact(image.channels);
                        for (out, pixel) in out.chunks_exact_mut(image.channels).zip(pixels) {
                            let each = out.iter_mut().zip(pixel).zip(many);
                            each.for_each(|((o, v), table)| *o = table[usize::from(*v)]);
                        }
                    }
                }
                image.pixels = Pixels::F32(out);
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
