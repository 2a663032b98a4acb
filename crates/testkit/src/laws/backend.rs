//! Laws of backends.

use super::{Bench, Law};
use crate::fault::{Check, ensure};
use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::backend::FusedInput;
use pleach_core::{Backend, Device, FusedLoss, FusedTouch, LossInput, Named, Plug, Seat, Target, Tensor, Var};
use std::sync::Arc;

/// A backend has a job.
pub const SEATED: Law = Law {
    name: "a backend has a seat, and a type of numbers where the seat is that of training",
    why: "a backend without a seat can be named in a file, and never used",
    write: "the seats in `seats`, and the types of numbers in `precisions`",
};

/// Kernels are what they stand for.
pub const FAITHFUL: Law = Law {
    name: "a fused loss and a fused touch give what their own bodies give, with the gradient of the body",
    why: "a run may change its kernels seat and must train the same",
    write: "the body's value and gradient, times the gradient that comes in, or `None` to leave it to the definition",
};

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Backend>) {
    bench.check(&SEATED, || {
        ensure(!plug.seats().is_empty(), || "it has no seat".into())?;
        ensure(!plug.seats().contains(&Seat::Train) || !plug.precisions().is_empty(), || {
            "it has the seat `train`, and trains in no type of numbers".into()
        })
    });
    // A device that is not here cannot be held to anything.
    let is_here = plug.device().is_ok_and(|d| d.is_cpu());
    if plug.seats().contains(&Seat::Kernels) && is_here {
        bench.check(&FAITHFUL, || touch(plug).and_then(|()| loss(plug)));
    }
}

fn touch(plug: &Plug<dyn Backend>) -> Check {
    let image = Image::new(3, 2, 1, Pixels::U8(vec![0, 1, 2, 100, 200, 255]))?;
    let body = |image: &Image| {
        let mut image = image.clone();
        if let Pixels::U8(all) = &mut image.pixels {
            all.iter_mut().for_each(|x| *x = 255 - *x);
        }
        Ok(image)
    };
    let Some(made) = plug.fused_touch(&FusedTouch { name: "law_negative", cpu: Arc::new(body) }, &image)? else {
        return Ok(());
    };
    ensure(made == body(&image)?, || format!("the negative of {:?} is {:?}", image.pixels, made.pixels))
}

fn loss(plug: &Plug<dyn Backend>) -> Check {
    let body = |x: &FusedInput<'_>| {
        let gaps = x.prediction.iter().zip(x.target).map(|(p, t)| p - t);
        Ok((gaps.clone().map(|gap| f64::from(gap * gap)).sum(), gaps.map(|gap| 2.0 * gap).collect()))
    };
    let prediction = Var::from_tensor(&Tensor::new(&[[0.5_f32, -1.0, 2.0], [0.0, 1.5, 3.0]], &Device::Cpu)?)?;
    let target = Tensor::new(&[[1.0_f32, 0.0], [0.0, 1.0], [1.0, 1.0]], &Device::Cpu)?;
    // Both are strided, as outputs of nets may be.
    let targets = Named::one(Target::Mask.key(), target);
    let strided = prediction.as_tensor().t()?;
    let input = LossInput { prediction: &strided, targets: &targets };
    let fused = FusedLoss { name: "law_squares", cpu: Arc::new(body) };
    let Some(value) = plug.fused_loss(&fused, &input, Target::Mask)? else { return Ok(()) };
    let found = value.to_scalar::<f32>()?;
    ensure((found - 6.5).abs() < 1e-4, || format!("a sum of squares of 6.5 is {found}"))?;
    let grads = (value * 3.0)?.backward()?;
    let found = match grads.get(&prediction) {
        Some(g) => g.to_vec2::<f32>()?.concat(),
        None => return Err("no gradient arrives through a fused loss".into()),
    };
    let wanted = [-3.0, -6.0, 6.0, 0.0, 3.0, 12.0];
    let near = found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4);
    ensure(near, || format!("three times the value has the gradient {found:?}, not {wanted:?}"))
}
