//! The operations written as their formulas read, and what compares with them.

use crate::common::{Seed, flat};
use candle_core::{DType, Device, Result, Tensor, Var};
use pleach_ops::Pad;

/// A number and its gradients: output, then the gradient of each input for the cotangent of `cotangent`.
pub fn run(inputs: &[&Tensor], dtype: DType, f: impl Fn(&[Tensor]) -> Result<Tensor>) -> Vec<Vec<f64>> {
    let vars: Vec<Var> = (inputs.iter()).map(|t| Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()).collect();
    let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&args).unwrap();
    let c = cotangent(y.dims()).to_dtype(dtype).unwrap();
    let grads = (&y * c).unwrap().sum_all().unwrap().backward().unwrap();
    let mut out = vec![flat(&y)];
    out.extend(vars.iter().map(|v| flat(grads.get(v.as_tensor()).unwrap())));
    out
}

pub fn cotangent(shape: &[usize]) -> Tensor {
    Seed(99).tensor(shape)
}

pub fn close(what: &str, got: &[Vec<f64>], want: &[Vec<f64>], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: outputs and gradients");
    for (part, (got, want)) in got.iter().zip(want).enumerate() {
        assert_eq!(got.len(), want.len(), "{what}: size of part {part}");
        for (at, (g, w)) in got.iter().zip(want).enumerate() {
            assert!((g - w).abs() <= tolerance * (1.0 + w.abs()), "{what}: part {part} at {at}: {g} for {w}");
        }
    }
}

/// A convolution of volumes; `small` is its output, or a transposed convolution's input.
#[derive(Clone, Debug)]
pub struct Walk {
    pub images: usize,
    pub groups: usize,
    pub ci: usize,
    pub co: usize,
    pub large: [usize; 3],
    pub small: [usize; 3],
    pub kernel: [usize; 3],
    pub stride: [usize; 3],
    pub padding: [usize; 3],
    pub dilation: [usize; 3],
    pub mode: Pad,
}

fn every(size: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    let [a, b, c] = size;
    (0..a).flat_map(move |x| (0..b).flat_map(move |y| (0..c).map(move |z| [x, y, z])))
}

fn at(i: [usize; 3], size: [usize; 3]) -> usize {
    (i[0] * size[1] + i[1]) * size[2] + i[2]
}

impl Walk {
    /// Calls `f` with the indices into the large tensor, the weights and the small tensor of each product.
    pub fn products(&self, mut f: impl FnMut(usize, usize, usize)) {
        let area = |size: [usize; 3]| size.iter().product::<usize>();
        for n in 0..self.images {
            for (co, ci) in (0..self.groups * self.co).flat_map(|o| (0..self.ci).map(move |i| (o, i))) {
                let channel = n * self.groups * self.ci + co / self.co * self.ci + ci;
                let out = n * self.groups * self.co + co;
                for (small, tap) in every(self.small).flat_map(|s| every(self.kernel).map(move |t| (s, t))) {
                    let source = [0, 1, 2].map(|i| {
                        let at = (small[i] * self.stride[i] + tap[i] * self.dilation[i]) as isize;
                        let (at, last) = (at - self.padding[i] as isize, self.large[i] as isize - 1);
                        let inside = (0..=last).contains(&at) || self.mode == Pad::Replicate;
                        inside.then_some(at.clamp(0, last) as usize)
                    });
                    if let [Some(x), Some(y), Some(z)] = source {
                        f(
                            channel * area(self.large) + at([x, y, z], self.large),
                            (co * self.ci + ci) * area(self.kernel) + at(tap, self.kernel),
                            out * area(self.small) + at(small, self.small),
                        );
                    }
                }
            }
        }
    }

    /// Output and gradients of the convolution.
    pub fn forward(&self, x: &Tensor, w: &Tensor, b: &Tensor) -> Vec<Vec<f64>> {
        let channels = self.groups * self.co;
        let [d, h, wide] = self.small;
        let dy = flat(&cotangent(&[self.images, channels, d, h, wide]));
        let (xs, ws) = (flat(x), flat(w));
        let mut out = self.start(b, &dy, channels, d * h * wide, [xs.len(), ws.len()]);
        self.products(|x, w, o| {
            out[0][o] += xs[x] * ws[w];
            out[1][x] += ws[w] * dy[o];
            out[2][w] += xs[x] * dy[o];
        });
        out
    }

    /// Output and gradients of the transposed convolution.
    pub fn transposed(&self, x: &Tensor, w: &Tensor, b: &Tensor) -> Vec<Vec<f64>> {
        let channels = self.groups * self.ci;
        let [d, h, wide] = self.large;
        let dy = flat(&cotangent(&[self.images, channels, d, h, wide]));
        let (xs, ws) = (flat(x), flat(w));
        let mut out = self.start(b, &dy, channels, d * h * wide, [xs.len(), ws.len()]);
        self.products(|large, w, small| {
            out[0][large] += xs[small] * ws[w];
            out[1][small] += ws[w] * dy[large];
            out[2][w] += xs[small] * dy[large];
        });
        out
    }

    /// The bias as output, zeros for the gradients of input and weights, and that of the bias.
    fn start(&self, b: &Tensor, dy: &[f64], channels: usize, area: usize, sizes: [usize; 2]) -> Vec<Vec<f64>> {
        let (bias, mut db) = (flat(b), vec![0.0; channels]);
        for (i, v) in dy.iter().enumerate() {
            db[i / area % channels] += v;
        }
        let y = (0..dy.len()).map(|i| bias[i / area % channels]).collect();
        vec![y, vec![0.0; sizes[0]], vec![0.0; sizes[1]], db]
    }
}

/// Attention with the whole matrix of scores; `added` as PyTorch's mask of numbers, of the shape of the scores.
pub fn attention(q: &Tensor, k: &Tensor, v: &Tensor, added: &Tensor, scale: f64) -> Result<Tensor> {
    let (k, v) = (k.t()?.contiguous()?, v.contiguous()?);
    let scores = ((q.contiguous()?.matmul(&k)? * scale)? + added)?;
    let top = scores.max_keepdim(2)?.detach().maximum(-1e300)?;
    let e = scores.broadcast_sub(&top)?.exp()?;
    let sum = e.sum_keepdim(2)?;
    let nothing = sum.eq(0.0)?.to_dtype(DType::F64)?;
    e.broadcast_div(&(sum + nothing)?)?.matmul(&v)
}

/// What a causal mask adds.
pub fn triangle(batch: usize, l: usize, s: usize) -> Tensor {
    let data = (0..batch * l * s).map(|i| if i % s > i / s % l { f64::NEG_INFINITY } else { 0.0 });
    Tensor::from_iter(data, &Device::Cpu).unwrap().reshape((batch, l, s)).unwrap()
}

/// The cell's new states, one above the other.
pub fn lstm(v: &[Tensor]) -> Result<Tensor> {
    let gates = (v[0].matmul(&v[3].t()?)?.broadcast_add(&v[5])? + v[1].matmul(&v[4].t()?)?.broadcast_add(&v[6])?)?;
    let n = v[1].dims()[1];
    let gate = |i: usize| gates.narrow(1, i * n, n);
    let sigmoid = |x: Tensor| (x.neg()?.exp()? + 1.0)?.recip();
    let c = ((sigmoid(gate(1)?)? * &v[2])? + (sigmoid(gate(0)?)? * gate(2)?.tanh()?)?)?;
    Tensor::cat(&[(sigmoid(gate(3)?)? * c.tanh()?)?, c], 0)
}
