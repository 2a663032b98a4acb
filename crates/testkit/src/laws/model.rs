//! Laws of models.

use super::{Bench, Law};
use crate::fault::{Check, Fault, ensure};
use pleach_core::params::Params;
use pleach_core::rng::Stream;
use pleach_core::{Cx, DType, Device, Mode, Model, ModelSpec, Named, Net, Plug, Purpose, Result, Rng, Tensor};

/// A net can be made.
pub const BUILDS: Law = Law {
    name: "a model builds a net for images of 64 by 64, and gives an output for each sample",
    why: "a model that refuses every task can be named in a file, and never trained",
    write: "sizes that follow from the `ModelSpec`, and an `Err` only for what the model cannot do",
};

/// Serving is a function.
pub const SERVES: Law = Law {
    name: "in eval mode the output of a sample is finite, the same each time, and no matter of its neighbours",
    why: "otherwise a prediction depends on the batch in which an image happens to be",
    write: "chance and statistics of the batch only where `cx.training()`",
};

/// Everything learns.
pub const LEARNS: Law = Law {
    name: "every parameter gets a finite gradient from the outputs",
    why: "a parameter without one stays as it was born, and the net is smaller than it looks",
    write: "every parameter into the output, by operations whose graph is not cut, and buffers by `Scope::buffer`",
};

const SAMPLES: usize = 2;
const SIDE: usize = 64;

/// A net of the first spec that the model takes, with its parameters and the input for it.
struct Made {
    params: Params,
    net: Box<dyn Net>,
    input: Tensor,
}

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Model>) {
    let mut made = None;
    bench.check(&BUILDS, || {
        made = Some(make(plug)?);
        let Some(made) = &made else { return Ok(()) };
        let outputs = forward(made, &made.input, Mode::Eval)?;
        let first = outputs.first().ok_or_else(|| Fault("it gives no output".into()))?;
        ensure(first.dims().first() == Some(&SAMPLES), || {
            format!("for {SAMPLES} samples the main output is of shape {:?}", first.dims())
        })
    });
    let Some(made) = made else { return };
    bench.check(&SERVES, || serves(&made));
    bench.check(&LEARNS, || learns(&made));
}

fn make(plug: &Plug<dyn Model>) -> Check<Made> {
    let mut refused = Vec::new();
    for (in_channels, out_channels, frames) in [(3, 4, 1), (1, 2, 1), (3, 1, 1), (3, 4, 2), (1, 1, 4)] {
        let spec = ModelSpec { in_channels, out_channels, frames, size: Some((SIDE, SIDE)) };
        let mut params = Params::new(1, DType::F32, &Device::Cpu);
        let mut shape = vec![SAMPLES, in_channels, SIDE, SIDE];
        if frames > 1 {
            shape.insert(1, frames);
        }
        match plug.build(params.root(), &spec) {
            Ok(net) => return Ok(Made { params, net, input: noise(&shape)? }),
            Err(e) => refused.push(format!("{spec:?}: {}", e.message())),
        }
    }
    Err(Fault(format!("it builds nothing\n{}", refused.join("\n"))))
}

fn noise(shape: &[usize]) -> Result<Tensor> {
    let mut rng = Rng::named(3, Purpose::Other, "models");
    let n: usize = shape.iter().product();
    let values: Vec<f32> = (0..n).map(|_| rng.uniform() as f32).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

fn forward(made: &Made, input: &Tensor, mode: Mode) -> Result<Named<Tensor>> {
    let mut cx = Cx { mode, rng: Rng::new(1, Purpose::Net, Stream::default()), step: 0 };
    made.net.forward(&Named::one("image", input.clone()), &mut cx)
}

fn numbers(t: &Tensor) -> Result<Vec<f64>> {
    Ok(t.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
}

fn main_output(made: &Made, input: &Tensor) -> Check<Vec<f64>> {
    match forward(made, input, Mode::Eval)?.first() {
        Some(output) => Ok(numbers(output)?),
        None => Err(Fault("it gives no output".into())),
    }
}

fn serves(made: &Made) -> Check {
    let together = main_output(made, &made.input)?;
    let odd = together.iter().filter(|x| !x.is_finite()).count();
    ensure(odd == 0, || format!("{odd} of {} numbers of the output are not finite", together.len()))?;
    ensure(together == main_output(made, &made.input)?, || "a second pass over the same images gives others".into())?;
    let each = together.len() / SAMPLES;
    for sample in 0..SAMPLES {
        let alone = main_output(made, &made.input.narrow(0, sample, 1)?)?;
        let of_both = together.get(sample * each..(sample + 1) * each).unwrap_or_default();
        let scale = of_both.iter().fold(1e-3_f64, |m, x| m.max(x.abs()));
        let far = alone.iter().zip(of_both).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        ensure(alone.len() == each && far <= 1e-3 * scale, || {
            format!("sample {sample} alone is {far:e} away from what it is beside another")
        })?;
    }
    Ok(())
}

fn learns(made: &Made) -> Check {
    let outputs = forward(made, &made.input, Mode::Train)?;
    let mut sum: Option<Tensor> = None;
    for (_, output) in outputs.iter() {
        // Weighted, because plain sums of what has just been normalised are 0 whatever comes before.
        let flat = output.flatten_all()?.to_dtype(DType::F32)?;
        let weights: Vec<f32> = (0..flat.elem_count()).map(|i| (1.7 * i as f32).sin()).collect();
        let part = (flat * Tensor::from_vec(weights, output.elem_count(), &Device::Cpu)?)?.sum_all()?;
        sum = Some(match sum {
            Some(sum) => (sum + part)?,
            None => part,
        });
    }
    let grads = sum.ok_or_else(|| Fault("it gives no output".into()))?.backward()?;
    let mut without = Vec::new();
    for (name, weight) in made.params.trainable() {
        match grads.get(weight.var()) {
            None => without.push(name),
            Some(g) => {
                let odd = numbers(g)?.into_iter().any(|x| !x.is_finite());
                ensure(!odd, || format!("the gradient of `{name}` is not finite"))?;
            }
        }
    }
    ensure(without.is_empty(), || format!("no gradient arrives at `{}`", without.join("`, `")))
}
