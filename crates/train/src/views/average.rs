//! The mean of outputs over views, as probabilities, with pictures brought back to where they belong.

use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::augmentation::Trail;
use pleach_core::kinds::task::Unite;
use pleach_core::{DType, Error, Frame, Named, Result, Row, SampleId, Tensor, Warp};

/// An output of several samples as numbers that can be averaged: for each picture planes of pixels.
struct Planes {
    /// Pictures of a sample: frames, or 1.
    per: usize,
    /// Planes of a picture.
    planes: usize,
    height: usize,
    width: usize,
    /// Whether the pixels of a plane lie as those of the input do.
    picture: bool,
    values: Vec<f32>,
}

impl Planes {
    fn of(t: &Tensor, samples: usize, unite: Unite) -> Result<Self> {
        let dims = t.dims();
        let odd = || {
            Error::new(
                "PL0231",
                format!("an output of shape {dims:?} cannot be averaged over views of {samples} samples"),
            )
            .hint("classes, or classes and pixels, after the samples (and frames)")
        };
        let (lead, channels, height, width) = match *dims {
            [n] => (n, 1, 1, 1),
            [n, c] => (n, c, 1, 1),
            [n, c, d] => (n, c, 1, d),
            [n, c, h, w] => (n, c, h, w),
            [n, f, c, h, w] => (n * f, c, h, w),
            _ => return Err(odd()),
        };
        let picture = dims.len() > 3;
        if samples == 0 || lead % samples != 0 || channels * height * width == 0 {
            return Err(odd());
        }
        let logits = t.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        let (planes, values) = probabilities(logits, channels, height * width, unite);
        Ok(Self { per: lead / samples, planes, height, width, picture, values })
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// The pictures of one sample.
    fn sample(&self, index: usize) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.planes * self.pixels()).skip(index * self.per).take(self.per)
    }
}

/// Logits as what can be averaged; with sigmoid also the probability against, which near 1 has digits that `1 - p` lost.
fn probabilities(mut logits: Vec<f32>, channels: usize, pixels: usize, unite: Unite) -> (usize, Vec<f32>) {
    match unite {
        Unite::Softmax => {
            for picture in logits.chunks_exact_mut(channels * pixels) {
                for at in 0..pixels {
                    let each = || (0..channels).map(|c| c * pixels + at);
                    let top = each().map(|i| picture[i]).fold(f32::NEG_INFINITY, f32::max);
                    each().for_each(|i| picture[i] = (picture[i] - top).exp());
                    let sum: f32 = each().map(|i| picture[i]).sum();
                    each().for_each(|i| picture[i] /= sum);
                }
            }
            (channels, logits)
        }
        Unite::Sigmoid => {
            let of = |x: f32| 1.0 / (1.0 + (-x).exp());
            let both = |picture: &[f32]| {
                let (yes, no) = (picture.iter().map(|&x| of(x)), picture.iter().map(|&x| of(-x)));
                yes.chain(no).collect::<Vec<f32>>()
            };
            (2 * channels, logits.chunks_exact(channels * pixels).flat_map(both).collect())
        }
        Unite::Values | Unite::Rows => (channels, logits),
    }
}

/// Sums of one output.
struct Sum {
    name: String,
    like: Tensor,
    planes: Planes,
    /// How many views saw each pixel of each picture.
    seen: Vec<f32>,
}

/// The mean of the outputs of a batch.
pub struct Mean {
    unite: Unite,
    samples: usize,
    sums: Vec<Sum>,
}

impl Mean {
    /// Begins with the outputs of the plain view of so many samples.
    pub fn new(outputs: &Named<Tensor>, samples: usize, unite: Unite) -> Result<Self> {
        let sum = |(name, t): (&str, &Tensor)| {
            let planes = Planes::of(t, samples, unite)?;
            let seen = vec![1.0; samples * planes.per * planes.pixels()];
            Ok(Sum { name: name.to_owned(), like: t.clone(), planes, seen })
        };
        Ok(Self { unite, samples, sums: outputs.iter().map(sum).collect::<Result<_>>()? })
    }

    /// Adds the outputs of samples in a view whose frames have this width and height; for each, which sample it is and
    /// the way back.
    pub fn add(&mut self, outputs: &Named<Tensor>, ways: &[(usize, Trail)], size: (usize, usize)) -> Result<()> {
        for sum in &mut self.sums {
            let view = Planes::of(outputs.want(&sum.name)?, ways.len(), self.unite)?;
            if (view.per, view.planes) != (sum.planes.per, sum.planes.planes) {
                let text = format!("the output `{}` has another shape in a view", sum.name);
                return Err(Error::new("PL0231", text).hint("the number of classes and frames must stay"));
            }
            for (index, (sample, trail)) in ways.iter().enumerate() {
                sum.add(*sample, &view, index, trail, size)?;
            }
        }
        Ok(())
    }

    /// The means, as what the net would have given.
    pub fn outputs(self) -> Result<Named<Tensor>> {
        let (unite, samples) = (self.unite, self.samples);
        self.sums.into_iter().map(|sum| Ok((sum.name.clone(), sum.mean(unite, samples)?))).collect()
    }
}

impl Sum {
    fn add(&mut self, sample: usize, view: &Planes, index: usize, trail: &Trail, size: (usize, usize)) -> Result<()> {
        let (pixels, per) = (self.planes.pixels(), self.planes.per);
        let still = !view.picture || trail.stays();
        if still && view.pixels() != pixels {
            let text = format!("the output `{}` has another shape in a view", self.name);
            return Err(
                Error::new("PL0231", text).hint("the net must give as many numbers for a view as for the sample")
            );
        }
        let sums = self.planes.values.chunks_exact_mut(self.planes.planes * pixels).skip(sample * per);
        let seen = self.seen.chunks_exact_mut(pixels).skip(sample * per);
        for ((picture, sums), seen) in view.sample(index).zip(sums).zip(seen) {
            if still {
                sums.iter_mut().zip(picture).for_each(|(s, x)| *s += x);
                seen.iter_mut().for_each(|n| *n += 1.0);
                continue;
            }
            let moved = back(picture, view, trail, size, (self.planes.width, self.planes.height))?;
            let channels = view.planes + 1;
            for (at, pixel) in moved.chunks_exact(channels).enumerate() {
                for (c, value) in pixel.iter().take(view.planes).enumerate() {
                    sums[c * pixels + at] += value;
                }
                seen[at] += pixel[view.planes];
            }
        }
        Ok(())
    }

    fn mean(self, unite: Unite, samples: usize) -> Result<Tensor> {
        let (pixels, planes) = (self.planes.pixels(), self.planes.planes);
        let mut out = Vec::with_capacity(self.like.elem_count());
        let ln = |p: f32| p.max(f32::MIN_POSITIVE).ln();
        for (sums, seen) in self.planes.values.chunks_exact(planes * pixels).zip(self.seen.chunks_exact(pixels)) {
            let mean = |plane: usize, at: usize| sums[plane * pixels + at] / seen[at];
            let channels = if unite == Unite::Sigmoid { planes / 2 } else { planes };
            for c in 0..channels {
                out.extend((0..pixels).map(|at| match unite {
                    Unite::Softmax => ln(mean(c, at)),
                    Unite::Sigmoid => ln(mean(c, at)) - ln(mean(c + channels, at)),
                    Unite::Values | Unite::Rows => mean(c, at),
                }));
            }
        }
        debug_assert_eq!(out.len() % samples.max(1), 0);
        let like = &self.like;
        Ok(Tensor::from_vec(out, like.dims(), like.device())?.to_dtype(like.dtype())?)
    }
}

/// A picture of a view brought back, its planes and how much each pixel was seen as channels.
fn back(picture: &[f32], of: &Planes, trail: &Trail, view: (usize, usize), plain: (usize, usize)) -> Result<Vec<f32>> {
    let (channels, pixels) = (of.planes + 1, of.pixels());
    let mut samples = vec![1.0; channels * pixels];
    for (c, plane) in picture.chunks_exact(pixels).enumerate() {
        samples.iter_mut().skip(c).step_by(channels).zip(plane).for_each(|(s, x)| *s = *x);
    }
    let image = Image::new(of.width, of.height, channels, Pixels::F32(samples))?;
    let id = SampleId { index: 0, key: "an output".into() };
    let mut row = Row::new(id, vec![Frame { number: 0, image }]);
    // An output may be coarser than its input.
    let resize = |row: &mut Row, to: (usize, usize)| match row.size() {
        Some(from) if from != to => Warp::resize(from, to).apply(row),
        _ => Ok(()),
    };
    resize(&mut row, view)?;
    trail.back().try_for_each(|warp| warp.apply(&mut row))?;
    resize(&mut row, plain)?;
    Ok(row.frames.first().map(|f| f.image.to_f32()).unwrap_or_default())
}
