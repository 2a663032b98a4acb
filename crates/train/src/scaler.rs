//! Loss scaling for 16-bit floats, whose gradients would otherwise vanish.

use pleach_core::state;

/// Multiplies the loss so that small gradients survive in 16 bits; halves when a gradient overflows,
/// doubles after a long while without (Micikevicius et al., "Mixed precision training", ICLR 2018;
/// the numbers are those of `torch.amp.GradScaler`).
#[state]
#[derive(Copy)]
pub struct Scaler {
    /// What the loss is multiplied by.
    pub scale: f64,
    good_steps: u32,
}

const GROWTH: f64 = 2.0;
const BACKOFF: f64 = 0.5;
const GROWTH_INTERVAL: u32 = 2000;

impl Scaler {
    /// A scaler that begins at `scale`.
    pub fn new(scale: f64) -> Self {
        Self { scale, good_steps: 0 }
    }

    /// Learns whether the gradients of a step were finite.
    pub fn update(&mut self, gradients: Gradients) {
        match gradients {
            Gradients::Overflowed => *self = Self::new(self.scale * BACKOFF),
            Gradients::Finite => {
                self.good_steps += 1;
                if self.good_steps == GROWTH_INTERVAL {
                    *self = Self::new(self.scale * GROWTH);
                }
            }
        }
    }
}

/// How the gradients of a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gradients {
    /// All finite.
    Finite,
    /// Some infinite or NaN.
    Overflowed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_halves_on_overflow_and_doubles_after_two_thousand_good_steps() {
        let mut s = Scaler::new(1024.0);
        s.update(Gradients::Overflowed);
        assert_eq!(s.scale, 512.0);
        (0..1999).for_each(|_| s.update(Gradients::Finite));
        assert_eq!(s.scale, 512.0);
        s.update(Gradients::Finite);
        assert_eq!(s.scale, 1024.0);
    }
}
