//! A weighted sum of two tensors: the step that remains where its factors were found beforehand.

use crate::pass::{self, Formula, Real};
use crate::slices::{Element, Slices};
use pleach_core::{ParamSlots, Result, Tensor};

/// `keep a + enter b`.
struct Blend {
    keep: f64,
    enter: f64,
}

/// `keep a + enter b`, of the type of `a`.
///
/// # Errors
/// The shapes differ.
pub(crate) fn blend(a: &Tensor, keep: f64, b: &Tensor, enter: f64) -> Result<Tensor> {
    pass::apply(&Blend { keep, enter }, a, b, &mut ParamSlots::default())
}

impl Formula for Blend {
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    fn slices<T: Real>(&self, all: &mut Slices<'_, T>) {
        all.each::<0>(self);
    }

    fn algebra(&self, param: &Tensor, grad: &Tensor, _: &mut [Tensor]) -> Result<Tensor> {
        Ok(((param * self.keep)? + (grad * self.enter)?)?)
    }
}

impl<T: Real> Element<T, 0> for Blend {
    #[inline(always)]
    fn next(&self, p: T, g: T, []: &mut [T; 0]) -> T {
        T::of(self.keep) * p + T::of(self.enter) * g
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_algebra_take_the_same_step() {
        pass::tests::both_forms_agree(&Blend { keep: 0.7, enter: -0.2 });
    }
}
