//! Schedule-free AdamW: an average of weights in place of a falling rate.

use crate::lerp::{self, Lerp};
use crate::pass::{self, Formula, Real, fits};
use crate::slices::{Element, Slices};
use crate::whole;
use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::read::Rules;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, StepGroup, Tensor, plugin};

/// Schedule-free AdamW (Defazio et al.): AdamW that averages weights in place of a rate that falls to an end.
///
/// Gradients are taken at `y`, the weights in training; `x`, the average of all `z`, is what is evaluated and shipped.
/// `rate = lr min(1, t / warmup_steps); w = t^r (greatest rate)^weight_lr_power; c = w / (sum of all w);
/// v = beta2 v + (1 - beta2) g^2; u = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay y; z = z - rate u;
/// x = (1 - c) x + c z; y = (1 - beta1) z + beta1 x`. Names and defaults are those of the authors' schedulefree, where
/// it is `AdamWScheduleFree`. Use no scheduler beside it. Steps are counted for a parameter group as a whole.
#[plugin(optimizer, alias = ["AdamWScheduleFree"], cite = "arXiv:2405.15682", check = Self::check)]
pub struct ScheduleFreeAdamW {
    /// Learning rate: about how far `z` moves in a step; one to ten times what AdamW would have.
    #[plugin(default = 2.5e-3, range = 0.0..)]
    pub lr: f64,
    /// How near gradients are taken to the average, and how slowly the average of squares forgets.
    #[plugin(default = (0.9, 0.999), range = 0.0..1.0)]
    pub betas: (f64, f64),
    /// Added to the denominator: it bounds the steps of weights whose gradients are all but 0.
    #[plugin(default = 1e-8, range = 0.0..)]
    pub eps: f64,
    /// Decay: each step takes this share of the weights in training, times the learning rate.
    #[plugin(default = 0.0, range = 0.0..)]
    pub weight_decay: f64,
    /// Steps during which the rate rises to `lr`.
    #[plugin(default = 0)]
    pub warmup_steps: u64,
    /// The power of its number with which a step weighs in the average: more forgets the beginning sooner.
    #[plugin(default = 0.0)]
    pub r: f64,
    /// The power of the greatest rate so far with which a step weighs in the average.
    #[plugin(default = 2.0)]
    pub weight_lr_power: f64,
    /// The authors' choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
}

/// The numbers of one step.
#[derive(Clone, Copy)]
struct Step {
    /// What gradients are multiplied by first.
    factor: f64,
    beta2: f64,
    /// 1 - beta2^t.
    correction: f64,
    eps: f64,
    decay: f64,
    /// How near the weights in training come to `z`.
    share: f64,
    /// What they lose of the direction, and what `z` loses.
    back: f64,
    lr: f64,
}

const Z: &str = "z";

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &[Z, "exp_avg_sq"]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<2>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [z, v] = slots else { return Ok(param.clone()) };
        let grad = (grad * self.factor)?;
        *v = ((&*v * self.beta2)? + (grad.sqr()? * (1.0 - self.beta2))?)?;
        let denominator = ((&*v / self.correction)?.sqrt()? + self.eps)?;
        let direction = ((grad / denominator)? + (param * self.decay)?)?;
        let new = (lerp::next(param, z, 1.0 - self.share)? - (&direction * self.back)?)?;
        *z = (&*z - (direction * self.lr)?)?;
        Ok(new)
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [z, v]: &mut [T; 2]) -> T {
        let n = [self.factor, self.beta2, 1.0 - self.beta2, self.correction, self.eps, self.decay, self.back, self.lr];
        let [factor, keep, enter, correction, eps, decay, back, lr] = n.map(T::of);
        let g = factor * g;
        *v = keep * *v + enter * g * g;
        let direction = g / ((*v / correction).sqrt() + eps) + decay * p;
        let new = Lerp::keeping(1.0 - self.share).next(p, *z) - back * direction;
        *z -= lr * direction;
        new
    }
}

impl ScheduleFreeAdamW {
    fn check(&self, rules: &mut Rules) {
        if self.betas.0 == 0.0 {
            rules.refuse(
                "betas",
                "the first must be above 0: at 0 the weights in training say nothing of their average",
            );
        }
    }

    /// The numbers of the next step, from what a group keeps.
    fn next(&self, shared: &mut ParamSlots, hyper: &Hyper, factor: f64) -> Step {
        let t = shared.count("k");
        let rise = if t <= self.warmup_steps as f64 { t / self.warmup_steps as f64 } else { 1.0 };
        let lr = hyper.lr * rise;
        let mut change = |name: &str, f: &dyn Fn(f64) -> f64| {
            let value = shared.numbers.entry(name.to_owned()).or_insert(0.0);
            *value = f(*value);
            *value
        };
        let greatest = change("lr_max", &|before| before.max(lr));
        let weight = t.powf(self.r) * greatest.powf(self.weight_lr_power);
        let sum = change("weight_sum", &|before| before + weight);
        let share = if sum == 0.0 { 0.0 } else { weight / sum };
        let (beta1, beta2) = self.betas;
        Step {
            factor,
            beta2,
            correction: 1.0 - beta2.powf(t),
            eps: self.eps,
            decay: self.weight_decay,
            share,
            back: lr * (1.0 - beta1 * (1.0 - share)),
            lr,
        }
    }
}

/// The step of a parameter, as which `z` begins.
fn of_param(step: &Step, param: &Tensor, slots: &mut ParamSlots) -> Result<Step> {
    if !slots.tensors.contains_key(Z) {
        slots.keep(Z, param.copy()?);
    }
    Ok(*step)
}

impl Optimizer for ScheduleFreeAdamW {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn eval_weight(&self, param: &Tensor, slots: &ParamSlots, _: &Hyper) -> Result<Option<Tensor>> {
        let Some(z) = slots.tensors.get(Z) else { return Ok(None) };
        fits(Z, z, param)?;
        lerp::next(param, z, 1.0 / self.betas.0).map(Some)
    }

    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        let step = self.next(slots, hyper, 1.0);
        pass::step(&of_param(&step, param, slots)?, param, grad, slots)
    }

    fn takes_scale(&self) -> bool {
        true
    }

    fn moves_averages(&self) -> bool {
        true
    }

    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _: Option<&mut Again<'_>>) -> Result<()> {
        let step = self.next(memory.0.entry(group.key.to_owned()).or_default(), &group.hyper, group.scale);
        whole::step(group, memory, |param, _, slots| of_param(&step, param, slots))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{DType, Device};

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        let step =
            Step { factor: 0.5, beta2: 0.99, correction: 0.4, eps: 1e-3, decay: 0.1, share: 0.2, back: 0.03, lr: 0.02 };
        pass::tests::both_forms_agree(&step);
        pass::tests::both_forms_agree(&Step { share: 0.8, ..step });
    }

    #[test]
    fn what_is_evaluated_is_the_mean_of_all_z() {
        let (optimizer, hyper) = (ScheduleFreeAdamW::default(), Hyper { lr: 0.1, momentum: None });
        let (mut y, mut slots) = (Tensor::ones(1, DType::F64, &Device::Cpu).unwrap(), ParamSlots::default());
        assert!(optimizer.eval_weight(&y, &slots, &hyper).unwrap().is_none());
        let one = |t: &Tensor| t.to_vec1::<f64>().unwrap()[0];
        let mut sum = 0.0;
        for t in 1..=20 {
            y = optimizer.update(&y, &y, &mut slots, &hyper).unwrap();
            sum += one(&slots.tensors[Z]);
            let x = one(&optimizer.eval_weight(&y, &slots, &hyper).unwrap().unwrap());
            assert!((x - sum / f64::from(t)).abs() < 1e-12, "{x} after {t} steps");
        }
    }
}
