use pleach_core::{Error, Form, Loss, LossInput, Result, Target, Tensor, Wants, plugin};

/// The asymmetric focal loss of binary maps (Yeung et al. 2022): background that is easy counts less, and a rare
/// foreground counts in full.
///
/// The mean over pixels of `(delta t (-log p) + (1 - delta) (1 - t) p^gamma (-log(1 - p))) / 2`, with p the logistic
/// function of the logits and t the mask. Equals MONAI's `AsymmetricFocalLoss` on the two classes (1 - p, p).
#[plugin(loss, alias = ["AsymmetricFocalLoss"], cite = ["doi:10.1016/j.compmedimag.2021.102026", "arXiv:2102.04525"])]
pub struct AsymmetricFocal {
    /// Weight of the foreground, 0 to 1; the background has the rest.
    #[plugin(default = 0.7, range = 0.0..=1.0)]
    pub delta: f64,
    /// The power by which background loses weight the surer it is; 0 leaves it as it is.
    #[plugin(default = 2.0, range = 0.0..)]
    pub gamma: f64,
}

impl Loss for AsymmetricFocal {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: Target::Mask }
    }

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (z, t) = (x.prediction, x.target(Target::Mask)?);
        if t.dims() != z.dims() || z.elem_count() == 0 {
            return Err(Error::new("PL0217", format!("logits {:?} and a mask {:?}", z.dims(), t.dims())));
        }
        // -log p = log(1 + exp(-z)), with the greater exponent taken out so that nothing overflows.
        let top = z.neg()?.relu()?.detach();
        let foreground = (&top + (top.neg()?.exp()? + (z.neg()? - &top)?.exp()?)?.log()?)?;
        let background = (&foreground + z)?;
        let easy = (&foreground * -self.gamma)?.exp()?;
        let of_mask = ((t * foreground)? * self.delta)?;
        let of_rest = (((1.0 - t)? * easy)? * (background * (1.0 - self.delta))?)?;
        Ok(((of_mask + of_rest)?.mean_all()? * 0.5)?)
    }
}
