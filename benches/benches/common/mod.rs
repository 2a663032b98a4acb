//! Times an operation forward, and forward with backward.

use candle_core::{DType, Device, Result, Tensor, Var};
use criterion::{BenchmarkId, Criterion};
use std::hint::black_box;
use std::time::Duration;

/// Runs the benches of one family.
pub fn run(benches: impl Fn(&mut Criterion)) {
    let mut criterion = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}

/// Numbers between -1 and 1 that do not repeat.
pub fn noise(shape: &[usize]) -> Result<Tensor> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let count = shape.iter().product();
    Tensor::from_vec((0..count).map(|_| next()).collect(), shape, &Device::Cpu)
}

/// Times `f` on inputs of the given shapes: alone, and with the gradients of all inputs.
pub fn both(c: &mut Criterion, name: &str, shapes: &[&[usize]], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    if let Err(error) = timed(c, name, shapes, f) {
        eprintln!("{name}: {error}");
    }
}

fn timed(c: &mut Criterion, name: &str, shapes: &[&[usize]], f: impl Fn(&[Tensor]) -> Result<Tensor>) -> Result<()> {
    let inputs = shapes.iter().map(|s| noise(s)).collect::<Result<Vec<_>>>()?;
    let vars = inputs.iter().map(Var::from_tensor).collect::<Result<Vec<_>>>()?;
    let tracked: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    // A sum of all is a gradient of ones, which costs little beside what is timed.
    let step = || f(&tracked)?.to_dtype(DType::F32)?.sum_all()?.backward();
    step()?;
    let mut group = c.benchmark_group(name);
    let size = format!("{:?}", shapes.first().copied().unwrap_or_default());
    group.bench_function(BenchmarkId::new("forward", &size), |b| b.iter(|| black_box(f(&inputs).is_ok())));
    group.bench_function(BenchmarkId::new("step", &size), |b| b.iter(|| black_box(step().is_ok())));
    group.finish();
    Ok(())
}
