//! Rprop: step sizes that follow from the signs of gradients alone.

use crate::pass::{Formula, Real};
use crate::slices::{Element, Slices};
use crate::whole::elementwise;
use pleach_core::read::Rules;
use pleach_core::{Hyper, Optimizer, ParamSlots, Result, Tensor, plugin};

/// Rprop (Riedmiller and Braun): each weight has a step size of its own, which grows while its gradient keeps its
/// sign and shrinks where the sign turns; how large a gradient is does not matter. For whole batches only.
///
/// `s = s etas[1]` where `g` has the sign of the last step's, `s = s etas[0]` and `g = 0` where it has the other,
/// `s` within `step_sizes`; `p = p - s sign(g)`.
#[plugin(optimizer, cite = "https://doi.org/10.1109/ICNN.1993.298623", check = Self::check)]
pub struct Rprop {
    /// Learning rate: the first step size; schedulers change it before the first step only.
    #[plugin(default = 1e-2, range = 0.0..)]
    pub lr: f64,
    /// What a step size is multiplied by where the sign turns (below 1), and where it stays (above 1).
    #[plugin(default = (0.5, 1.2), above = 0.0)]
    pub etas: (f64, f64),
    /// The least and the greatest step size.
    #[plugin(default = (1e-6, 50.0))]
    pub step_sizes: (f64, f64),
    /// Climbs instead of descending.
    #[plugin(default = false)]
    pub maximize: bool,
    /// PyTorch's choice of implementation; without effect here.
    #[plugin(idle)]
    pub foreach: Option<bool>,
    /// PyTorch's switch for CUDA graphs; without effect here.
    #[plugin(idle)]
    pub capturable: Option<bool>,
    /// PyTorch's switch for gradients through a step; without effect here.
    #[plugin(idle)]
    pub differentiable: Option<bool>,
}

impl Rprop {
    fn check(&self, rules: &mut Rules) {
        if self.etas.0 >= 1.0 || self.etas.1 <= 1.0 {
            rules.refuse("etas", "the first must be below 1 and the second above 1");
        }
    }
}

const SIZE: &str = "step_size";

/// The numbers of one step.
struct Step {
    /// What gradients are multiplied by first: 1, or -1 where they are to be climbed, and the scale of a step.
    factor: f64,
    etas: (f64, f64),
    sizes: (f64, f64),
}

impl Formula for Step {
    fn slots(&self) -> &'static [&'static str] {
        &["prev", SIZE]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<2>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, slots: &mut [Tensor]) -> Result<Tensor> {
        let [before, size] = slots else { return Ok(param.clone()) };
        let grad = (grad * self.factor)?;
        let zeros = grad.zeros_like()?;
        let product = (&grad * &*before)?;
        let (stays, turns) = (product.gt(&zeros)?, product.lt(&zeros)?);
        let grown = stays.where_cond(&(&*size * self.etas.1)?, size)?;
        *size = turns.where_cond(&(&*size * self.etas.0)?, &grown)?.clamp(self.sizes.0, self.sizes.1)?;
        *before = turns.where_cond(&zeros, &grad)?;
        Ok((param - (before.sign()? * &*size)?)?)
    }
}

impl<T: Real> Element<T, 2> for Step {
    #[inline(always)]
    fn next(&self, p: T, g: T, [before, size]: &mut [T; 2]) -> T {
        let n = [self.factor, self.etas.0, self.etas.1, self.sizes.0, self.sizes.1];
        let [factor, shrink, grow, least, greatest] = n.map(T::of);
        let g = factor * g;
        let product = g * *before;
        // Signs choose among constants alone, which vectors do without a branch.
        let change = if product > T::ZERO { grow } else { T::ONE };
        let (change, kept) = if product < T::ZERO { (shrink, T::ZERO) } else { (change, T::ONE) };
        *size = (*size * change).larger(least).smaller(greatest);
        let g = if kept == T::ZERO { T::ZERO } else { g };
        let up = if g > T::ZERO { *size } else { T::ZERO };
        let down = if g < T::ZERO { *size } else { T::ZERO };
        *before = g;
        p - (up - down)
    }
}

impl Rprop {
    fn formula(&self, param: &Tensor, slots: &mut ParamSlots, hyper: &Hyper, scale: f64) -> Result<Step> {
        if !slots.tensors.contains_key(SIZE) {
            slots.keep(SIZE, (param.zeros_like()? + hyper.lr)?);
        }
        slots.count("step");
        let factor = if self.maximize { -scale } else { scale };
        Ok(Step { factor, etas: self.etas, sizes: self.step_sizes })
    }
}

impl Optimizer for Rprop {
    fn lr(&self) -> f64 {
        self.lr
    }

    elementwise!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        pass::tests::both_forms_agree(&Step { factor: -1.0, etas: (0.5, 1.2), sizes: (0.1, 1.5) });
    }
}
