//! Prodigy: Adam that finds its own learning rate.

use crate::blend::blend;
use crate::pass::{self, Formula, Real, fits};
use crate::slices::{Element, Slices};
use crate::sums;
use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, StepGroup, Tensor, plugin};

/// Prodigy (Mishchenko and Defazio): Adam that finds its own learning rate: `d`, an estimate of how far the best
/// weights are from the first. Leave `lr` at 1, and let a scheduler lower it.
///
/// With the first weights `p0`, `a = d / d0` and `dlr = d lr` (times Adam's correction with `use_bias_correction`):
/// `r = beta3 r + a dlr sum(g (p0 - p)); s = beta3 s + a dlr g; m = beta1 m + d (1 - beta1) g;
/// v = beta2 v + d^2 (1 - beta2) g^2; d_hat = d_coef r / sum(|s|); d = max(d, d_hat)`, at most `growth_rate` times what
/// it was; `p = p - dlr weight_decay p - dlr m / (sqrt(v) + d eps)`. Names, defaults and rules are those of the
/// authors' prodigyopt. Each parameter group has a `d` of its own, where prodigyopt has one for all; parameters that
/// `filter_bias_and_bn` spares the decay are a group too.
#[plugin(optimizer, cite = "arXiv:2306.06101")]
pub struct Prodigy {
    /// What the rate that is found is multiplied by; 0, by a scheduler, holds everything still.
    #[plugin(default = 1.0, above = 0.0)]
    pub lr: f64,
    /// How slowly the averages of the gradient and of its square forget; schedulers may cycle the first.
    #[plugin(default = (0.9, 0.999), range = 0.0..1.0)]
    pub betas: (f64, f64),
    /// How slowly the sums that the estimate comes from forget; none is the root of the second beta.
    pub beta3: Option<f64>,
    /// Added to the denominator, times the estimate.
    #[plugin(default = 1e-8, above = 0.0)]
    pub eps: f64,
    /// Decay: each step takes this share, times the rate that was found, of a weight.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Takes the decay from the weight itself, as AdamW does; without it, the decay is a part of the gradient.
    #[plugin(default = true)]
    pub decouple: bool,
    /// Multiplies steps by Adam's correction of averages that begin at 0.
    #[plugin(default = false)]
    pub use_bias_correction: bool,
    /// Leaves the rate out of the divisor of the estimate, which long warm-ups would spoil.
    #[plugin(default = false)]
    pub safeguard_warmup: bool,
    /// The first estimate; it should be too small.
    #[plugin(default = 1e-6, above = 0.0)]
    pub d0: f64,
    /// What the estimate is multiplied by; the first thing to tune.
    #[plugin(default = 1.0)]
    pub d_coef: f64,
    /// The most that the estimate may be multiplied by in a step; 1.02 makes a warm-up.
    #[plugin(default = f64::INFINITY)]
    pub growth_rate: f64,
    /// prodigyopt's switch for sharded parameters; without effect here.
    #[plugin(idle)]
    pub fsdp_in_use: Option<bool>,
    /// Estimates from one element in so many, which saves memory; 11 still works.
    #[plugin(default = 1, range = 1..)]
    pub slice_p: u32,
}

/// `v = keep v + enter g^2`; `v` takes the place of the parameter.
struct Squares {
    keep: f64,
    enter: f64,
}

impl Formula for Squares {
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<0>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, _: &mut [Tensor]) -> Result<Tensor> {
        Ok(((param * self.keep)? + (grad.sqr()? * self.enter)?)?)
    }
}

impl<T: Real> Element<T, 0> for Squares {
    #[inline(always)]
    fn next(&self, v: T, g: T, []: &mut [T; 0]) -> T {
        T::of(self.keep) * v + T::of(self.enter) * g * g
    }
}

/// `p = p + fade p - size g / (sqrt(v) + eps)`.
struct Move {
    fade: f64,
    size: f64,
    eps: f64,
}

const SQUARES: &str = "exp_avg_sq";

impl Formula for Move {
    fn slots(&self) -> &'static [&'static str] {
        &[SQUARES]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<1>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [v] = slots else { return Ok(param.clone()) };
        let param = (param + (param * self.fade)?)?;
        Ok((param - ((grad * self.size)? / (v.sqrt()? + self.eps)?)?)?)
    }
}

impl<T: Real> Element<T, 1> for Move {
    #[inline(always)]
    fn next(&self, p: T, g: T, [v]: &mut [T; 1]) -> T {
        let [fade, size, eps] = [self.fade, self.size, self.eps].map(T::of);
        p + fade * p - size * g / (v.sqrt() + eps)
    }
}

/// One parameter of a group: the gradient has its part of the decay already.
struct Part<'a> {
    param: Tensor,
    grad: Tensor,
    slots: &'a mut ParamSlots,
}

/// The numbers that are the same for all parameters of a group during one step.
struct Now {
    /// The estimate as it was before the step.
    d: f64,
    dlr: f64,
    beta1: f64,
    beta3: f64,
}

impl Prodigy {
    /// What the estimate looks at.
    fn sliced(&self, t: &Tensor) -> Result<Tensor> {
        let flat = t.flatten_all()?;
        if self.slice_p <= 1 {
            return Ok(flat);
        }
        let every: Vec<u32> = (0..flat.elem_count() as u32).step_by(self.slice_p as usize).collect();
        let n = every.len();
        Ok(flat.index_select(&Tensor::from_vec(every, n, t.device())?, 0)?)
    }

    /// Lets the gradient of one parameter into its averages; what it adds to both sums of the estimate.
    fn learn(&self, part: &mut Part<'_>, now: &Now) -> Result<(f64, f64)> {
        let Part { param, grad, slots } = part;
        fits("the gradient", grad, param)?;
        let seen = self.sliced(grad)?;
        let here = self.sliced(param)?;
        if !slots.tensors.contains_key("p0") {
            // A copy: what is here changes where it stands.
            slots.keep("p0", here.copy()?);
        }
        let first = slots.zeros("p0", &here)?;
        fits("p0", &first, &here)?;
        let scale = now.d / self.d0;
        let above = scale * now.dlr * sums::products(&seen, &(first - here)?)?;
        if now.beta1 > 0.0 {
            let m = slots.zeros("exp_avg", param)?;
            slots.keep("exp_avg", blend(&m, now.beta1, grad, now.d * (1.0 - now.beta1))?);
        }
        let beta2 = self.betas.1;
        let squares = Squares { keep: beta2, enter: now.d * now.d * (1.0 - beta2) };
        let v = pass::apply(&squares, &slots.zeros(SQUARES, param)?, grad, &mut ParamSlots::default())?;
        slots.keep(SQUARES, v);
        let rate = if self.safeguard_warmup { now.d } else { now.dlr };
        let s = blend(&slots.zeros("s", &seen)?, now.beta3, &seen, scale * rate)?;
        let below = sums::magnitudes(&s)?;
        slots.keep("s", s);
        Ok((above, below))
    }

    /// One step of some parameters; the new values, or nothing where all stay. What they share is in `shared`.
    fn advance(&self, shared: &mut ParamSlots, parts: &mut [Part<'_>], hyper: &Hyper) -> Result<Option<Vec<Tensor>>> {
        let kept = |name: &str, start: f64| shared.numbers.get(name).copied().unwrap_or(start);
        let (d, k) = (kept("d", self.d0), kept("k", 0.0));
        let (beta1, beta2) = (hyper.momentum.unwrap_or(self.betas.0), self.betas.1);
        let correction = |beta: f64| if self.use_bias_correction { 1.0 - beta.powf(k + 1.0) } else { 1.0 };
        let now = Now {
            d,
            dlr: d * hyper.lr * (correction(beta2).sqrt() / correction(beta1)),
            beta1,
            beta3: self.beta3.unwrap_or_else(|| beta2.sqrt()),
        };
        let (mut above, mut below) = (now.beta3 * kept("d_numerator", 0.0), 0.0);
        if hyper.lr > 0.0 {
            for part in parts.iter_mut() {
                let (a, b) = self.learn(part, &now)?;
                above += a;
                below += b;
            }
        }
        if below == 0.0 {
            return Ok(None);
        }
        let found = self.d_coef * above / below;
        let most = kept("d_max", self.d0).max(found);
        let next = if d == self.d0 { d.max(found) } else { d };
        let next = most.min(next * self.growth_rate);
        for (name, value) in [("d", next), ("d_max", most), ("d_numerator", above), ("k", k + 1.0)] {
            shared.numbers.insert(name.to_owned(), value);
        }
        parts.iter_mut().map(|part| self.moved(part, &now, next)).collect::<Result<_>>().map(Some)
    }

    fn moved(&self, part: &mut Part<'_>, now: &Now, d: f64) -> Result<Tensor> {
        let averaged = now.beta1 > 0.0;
        let step = Move {
            fade: if self.decouple { -self.weight_decay * now.dlr } else { 0.0 },
            size: if averaged { now.dlr } else { now.dlr * d },
            eps: d * self.eps,
        };
        let along = if averaged { part.slots.zeros("exp_avg", &part.param)? } else { part.grad.clone() };
        pass::apply(&step, &part.param, &along, part.slots)
    }

    /// The gradient, with the decay where that is a part of it.
    fn gradient(&self, param: &Tensor, grad: &Tensor) -> Result<Tensor> {
        if self.decouple || self.weight_decay == 0.0 {
            return Ok(grad.to_dtype(param.dtype())?);
        }
        blend(&grad.to_dtype(param.dtype())?, 1.0, param, self.weight_decay)
    }
}

impl Optimizer for Prodigy {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn momentum(&self) -> Option<f64> {
        Some(self.betas.0)
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        let mut shared = ParamSlots { numbers: slots.numbers.clone(), ..ParamSlots::default() };
        let part = Part { param: param.clone(), grad: self.gradient(param, grad)?, slots };
        let new = self.advance(&mut shared, &mut [part], hyper)?;
        slots.numbers = shared.numbers;
        Ok(new.and_then(|all| all.into_iter().next()).unwrap_or_else(|| param.clone()))
    }

    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _: Option<&mut Again<'_>>) -> Result<()> {
        let mut values = Vec::new();
        for (_, weight, grad) in &group.params {
            let param = weight.var().as_detached_tensor();
            values.push((self.gradient(&param, grad)?, param));
        }
        let mut shared = memory.0.remove(group.key).unwrap_or_default();
        let mut all: Vec<_> = group.params.iter().map(|(n, ..)| memory.0.remove(*n).unwrap_or_default()).collect();
        let parts = values.into_iter().zip(&mut all).map(|((grad, param), slots)| Part { param, grad, slots });
        let new = self.advance(&mut shared, &mut parts.collect::<Vec<_>>(), &group.hyper);
        memory.0.insert(group.key.to_owned(), shared);
        for ((name, ..), slots) in group.params.iter().zip(all) {
            memory.0.insert((*name).to_owned(), slots);
        }
        for ((_, weight, _), new) in group.params.iter().zip(new?.into_iter().flatten()) {
            weight.set(&new)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{DType, Device};

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        pass::tests::both_forms_agree(&Squares { keep: 0.9, enter: 0.2 });
        pass::tests::both_forms_agree(&Move { fade: -0.01, size: 0.02, eps: 1e-3 });
    }

    #[test]
    fn the_rate_that_is_found_is_of_the_size_of_the_way() {
        let prodigy = Prodigy::default();
        let (mut p, mut slots) = (Tensor::zeros(4, DType::F64, &Device::Cpu).unwrap(), ParamSlots::default());
        let hyper = Hyper { lr: 1.0, momentum: None };
        for _ in 0..200 {
            let grad = (&p - 3.0).unwrap().sign().unwrap();
            p = prodigy.update(&p, &grad, &mut slots, &hyper).unwrap();
        }
        let d = slots.numbers["d"];
        assert!(d > 0.1 && d < 30.0, "d is {d}");
    }

    #[test]
    fn a_rate_of_zero_holds_everything_still() {
        let (p, mut slots) = (Tensor::ones(4, DType::F32, &Device::Cpu).unwrap(), ParamSlots::default());
        let new = Prodigy::default().update(&p, &p, &mut slots, &Hyper { lr: 0.0, momentum: None }).unwrap();
        assert_eq!(new.to_vec1::<f32>().unwrap(), [1.0; 4]);
        assert!(slots.numbers.is_empty());
    }
}
