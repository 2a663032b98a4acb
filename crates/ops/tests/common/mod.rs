//! Checks gradients against central differences, and builds tensors from a seed.
#![allow(dead_code, reason = "each test file takes the part it needs")]

use candle_core::{DType, Device, Result, Tensor, Var};

/// A small generator of repeatable numbers (splitmix64).
pub struct Seed(pub u64);

impl Seed {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A tensor of f64, uniform in [-1, 1), all elements distinct for our purposes.
    pub fn tensor(&mut self, shape: &[usize]) -> Tensor {
        let n = shape.iter().product();
        let data: Vec<f64> = (0..n).map(|_| 2.0 * self.uniform() - 1.0).collect();
        Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
    }
}

pub fn flat(t: &Tensor) -> Vec<f64> {
    let t = t.to_dtype(DType::F64).unwrap();
    t.flatten_all().unwrap().to_vec1().unwrap()
}

/// Checks that the gradients of `f` by all `inputs` (f64) are what central differences say, for a random
/// cotangent. `f` may use an input twice, transpose or narrow it.
pub fn gradcheck(what: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let vars: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(&t.contiguous().unwrap()).unwrap()).collect();
    let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&args).unwrap_or_else(|e| panic!("{what}: {e}"));
    let cotangent = Seed(7).tensor(y.dims());
    let loss = (&y * &cotangent).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap_or_else(|e| panic!("{what}: {e}"));

    let value = |args: &[Tensor]| -> f64 {
        let y = f(args).unwrap();
        let (y, c) = (flat(&y), flat(&cotangent));
        y.iter().zip(&c).map(|(y, c)| y * c).sum()
    };
    let step = 1e-5;
    for (i, var) in vars.iter().enumerate() {
        let grad = grads.get(var.as_tensor()).unwrap_or_else(|| panic!("{what}: no gradient for input {i}"));
        assert_eq!(grad.dims(), var.dims(), "{what}: shape of gradient {i}");
        let grad = flat(grad);
        let base = flat(&args[i]);
        for at in 0..base.len() {
            let moved = |by: f64| {
                let mut data = base.clone();
                data[at] += by;
                let mut args = args.to_vec();
                args[i] = Tensor::from_vec(data, var.dims(), &Device::Cpu).unwrap();
                value(&args)
            };
            let want = (moved(step) - moved(-step)) / (2.0 * step);
            let error = (grad[at] - want).abs();
            assert!(
                error < 2e-7 * (1.0 + want.abs()),
                "{what}: input {i} at {at}: gradient {} but differences say {want}",
                grad[at]
            );
        }
    }
}
