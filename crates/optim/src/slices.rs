//! The one loop over the elements of a parameter: the weights, their gradient, all slots and an average of the weights are read
//! once and written once.

use crate::pass::Real;
use pleach_simd::half;

/// The most slots that a step changes.
const MOST: usize = 4;

/// What a step makes of one weight. Numbers that are the same for all weights are reckoned once.
pub(crate) trait Element<T, const SLOTS: usize> {
    /// The new weight, from the weight and its gradient; what stands in its slots is replaced. To be `#[inline(always)]`: what
    /// [`lanes!`](pleach_simd::lanes) compiles for each machine is the loop around it.
    fn next(&self, weight: T, grad: T, slots: &mut [T; SLOTS]) -> T;
}

/// A piece of a parameter with its gradient and its slots, all of one length.
pub(crate) struct Slices<'a, T> {
    pub param: &'a mut [T],
    pub grad: &'a [T],
    pub slots: Vec<&'a mut [T]>,
    /// An average that follows the weights, and how far it goes, 0 to 1.
    pub average: Option<(&'a mut [T], T)>,
}

impl<T: Real> Slices<'_, T> {
    /// Takes a step of each weight.
    pub(crate) fn each<const SLOTS: usize>(&mut self, step: &impl Element<T, SLOTS>) {
        let Self { param, grad, slots, average } = self;
        let mut slots = slots.iter_mut();
        // The compiler knows of references that are arguments, and of no others, that they never meet.
        let [a, b, c, d] =
            std::array::from_fn::<&mut [T], MOST, _>(|_| slots.next().map_or(&mut [], |slot| &mut **slot));
        match average {
            None => over::<T, _, SLOTS>(param, grad, a, b, c, d, &mut [], &Alone(step)),
            Some((average, share)) => {
                over::<T, _, SLOTS>(param, grad, a, b, c, d, average, &Followed { step, share: *share });
            }
        }
    }
}

/// A step of a weight, and of its average if there is one.
trait Each<T, const SLOTS: usize> {
    /// Whether there is an average.
    const FOLLOWED: bool;
    /// The new weight; slots and average are replaced.
    fn next(&self, weight: T, grad: T, slots: &mut [T; SLOTS], average: &mut T) -> T;
}

struct Alone<'a, E>(&'a E);

impl<T: Real, E: Element<T, SLOTS>, const SLOTS: usize> Each<T, SLOTS> for Alone<'_, E> {
    const FOLLOWED: bool = false;

    #[inline(always)]
    fn next(&self, weight: T, grad: T, slots: &mut [T; SLOTS], _: &mut T) -> T {
        self.0.next(weight, grad, slots)
    }
}

struct Followed<'a, E, T> {
    step: &'a E,
    share: T,
}

impl<T: Real, E: Element<T, SLOTS>, const SLOTS: usize> Each<T, SLOTS> for Followed<'_, E, T> {
    const FOLLOWED: bool = true;

    #[inline(always)]
    fn next(&self, weight: T, grad: T, slots: &mut [T; SLOTS], average: &mut T) -> T {
        let new = self.step.next(weight, grad, slots);
        *average += self.share * (new - *average);
        new
    }
}

pleach_simd::lanes! {
    #[allow(clippy::too_many_arguments)]
    fn over<T: Real, E: Each<T, N>; const N: usize>(
        param: &mut [T], grad: &[T], a: &mut [T], b: &mut [T], c: &mut [T], d: &mut [T], average: &mut [T], step: &E,
    ) {
        let n = param.len();
        let half = half(n);
        let ((param, param2), (grad, grad2)) = (param.split_at_mut(half), grad[..n].split_at(half));
        let used = |k: usize| if k < N { n } else { 0 };
        let average = if E::FOLLOWED { &mut average[..n] } else { &mut [] };
        // At the length of their parameter, so that no bound is looked at again.
        let beside = [&mut a[..used(0)], &mut b[..used(1)], &mut c[..used(2)], &mut d[..used(3)], average];
        let (mut beside, mut beside2) = halves(beside, half);
        for i in 0..n - half {
            param[i] = next(i, param[i], grad[i], &mut beside, step);
            param2[i] = next(i, param2[i], grad2[i], &mut beside2, step);
        }
        for i in n - half..half {
            param[i] = next(i, param[i], grad[i], &mut beside, step);
        }
    }
}

/// Slots, and an average behind them; empty where there is none.
type Beside<'a, T> = [&'a mut [T]; MOST + 1];

/// The same up to `half` of their length, and from there on.
#[inline(always)]
fn halves<T>([a, b, c, d, average]: Beside<'_, T>, half: usize) -> (Beside<'_, T>, Beside<'_, T>) {
    let ((a, a2), (b, b2)) = (a.split_at_mut(half.min(a.len())), b.split_at_mut(half.min(b.len())));
    let ((c, c2), (d, d2)) = (c.split_at_mut(half.min(c.len())), d.split_at_mut(half.min(d.len())));
    let (average, average2) = average.split_at_mut(half.min(average.len()));
    ([a, b, c, d, average], [a2, b2, c2, d2, average2])
}

/// The new weight; what stands beside it is replaced.
#[inline(always)]
fn next<T: Real, E: Each<T, N>, const N: usize>(
    i: usize,
    weight: T,
    grad: T,
    beside: &mut Beside<'_, T>,
    step: &E,
) -> T {
    let (mut slots, mut average) = ([T::ZERO; N], T::ZERO);
    for k in 0..N {
        slots[k] = beside[k][i];
    }
    if E::FOLLOWED {
        average = beside[MOST][i];
    }
    let new = step.next(weight, grad, &mut slots, &mut average);
    for k in 0..N {
        beside[k][i] = slots[k];
    }
    if E::FOLLOWED {
        beside[MOST][i] = average;
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds the gradient to the weight, and the weight and the slots before it to each slot.
    struct Add;

    impl<const SLOTS: usize> Element<f64, SLOTS> for Add {
        fn next(&self, p: f64, g: f64, slots: &mut [f64; SLOTS]) -> f64 {
            slots.iter_mut().fold(p, |sum, slot| {
                *slot += sum;
                *slot
            });
            p + g
        }
    }

    fn every_weight_takes_one_step<const SLOTS: usize>(n: usize, averaged: bool) {
        let line = |from: f64| (0..n).map(|i| from + i as f64).collect::<Vec<_>>();
        let (mut param, grad, mut average) = (line(1.0), line(0.5), line(-3.0));
        let mut slots: Vec<_> = (0..SLOTS).map(|k| line(k as f64)).collect();
        Slices {
            param: &mut param,
            grad: &grad,
            slots: slots.iter_mut().map(Vec::as_mut_slice).collect(),
            average: averaged.then_some((average.as_mut_slice(), 0.5)),
        }
        .each::<SLOTS>(&Add);
        for i in 0..n {
            let x = i as f64;
            assert_eq!(param[i], 1.5 + 2.0 * x, "{i} of {n}");
            let mut sum = 1.0 + x;
            for (k, slot) in slots.iter().enumerate() {
                sum += k as f64 + x;
                assert_eq!(slot[i], sum, "slot {k}: {i} of {n}");
            }
            let before = x - 3.0;
            assert_eq!(average[i], if averaged { before + 0.5 * (param[i] - before) } else { before }, "{i} of {n}");
        }
    }

    #[test]
    fn every_weight_takes_one_step_whatever_the_length() {
        for n in (0..70).chain([127, 128, 129, 1000]) {
            for averaged in [false, true] {
                every_weight_takes_one_step::<0>(n, averaged);
                every_weight_takes_one_step::<1>(n, averaged);
                every_weight_takes_one_step::<2>(n, averaged);
                every_weight_takes_one_step::<3>(n, averaged);
                every_weight_takes_one_step::<4>(n, averaged);
            }
        }
    }
}
