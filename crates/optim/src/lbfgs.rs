//! LBFGS: steps that know how the slope has bent so far.

use crate::strong_wolfe::{Line, Point, Scalars};
use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::{Error, Hyper, Optimizer, ParamSlots, Result, StepGroup, Tensor, config, plugin};

/// How far to go along a direction.
#[config]
pub enum LineSearch {
    /// As far as the strong Wolfe conditions ask, in several evaluations.
    StrongWolfe,
}

/// Limited-memory BFGS (Liu and Nocedal): up to `max_iter` steps in one, each along `-H g`, where `H` is made of the
/// last `history_size` differences of weights and gradients. Loss and gradients are evaluated anew on the batch of
/// the step, as often as it takes; it works on all parameters together, so that groups of them are refused.
#[plugin(optimizer, cite = "https://doi.org/10.1007/BF01589116")]
pub struct LBFGS {
    /// Learning rate: the length of a step along its direction, or with which the line search begins.
    #[plugin(default = 1.0, range = 0.0..)]
    pub lr: f64,
    /// Most iterations in one step.
    #[plugin(default = 20)]
    pub max_iter: usize,
    /// Most evaluations of the loss in one step; none is 5/4 of `max_iter`.
    pub max_eval: Option<usize>,
    /// A step ends where no gradient is greater than this.
    #[plugin(default = 1e-7)]
    pub tolerance_grad: f64,
    /// A step ends where neither the loss nor any weight changes by more than this.
    #[plugin(default = 1e-9)]
    pub tolerance_change: f64,
    /// Differences that are remembered.
    #[plugin(default = 100, range = 1..)]
    pub history_size: usize,
    /// How far to go along a direction; none goes as far as `lr` says.
    pub line_search_fn: Option<LineSearch>,
    /// Climbs instead of descending.
    #[plugin(default = false)]
    pub maximize: bool,
}

/// What is remembered from one iteration to the next.
struct Past {
    /// The direction and how far it was followed.
    d: Tensor,
    t: f64,
    /// Differences of gradients, of weights, and the inverse of their products.
    bends: Vec<Tensor>,
    moves: Vec<Tensor>,
    ro: Vec<f64>,
    h_diag: f64,
    grad: Tensor,
    loss: f64,
}

impl Past {
    /// What an earlier step has left, if there was one.
    fn load(slots: &ParamSlots, numel: usize) -> Result<Option<Self>> {
        let tensor = |name: &str| -> Result<Option<Tensor>> {
            match slots.tensors.get(name) {
                Some(t) if t.dims() != [numel] => {
                    Err(Error::new("PL0204", format!("{name} has the shape {:?} for {numel} weights", t.dims())))
                }
                found => Ok(found.cloned()),
            }
        };
        let number = |name: &str| slots.numbers.get(name).copied().unwrap_or_default();
        let (Some(d), Some(grad)) = (tensor("d")?, tensor("prev_flat_grad")?) else { return Ok(None) };
        let (t, h_diag, loss) = (number("t"), number("H_diag"), number("prev_loss"));
        let mut past = Self { d, t, bends: Vec::new(), moves: Vec::new(), ro: Vec::new(), h_diag, grad, loss };
        for i in 0.. {
            let (Some(bend), Some(step)) = (tensor(&format!("old_dirs.{i}"))?, tensor(&format!("old_stps.{i}"))?)
            else {
                break;
            };
            past.bends.push(bend);
            past.moves.push(step);
            past.ro.push(number(&format!("ro.{i}")));
        }
        Ok(Some(past))
    }

    fn store(self, slots: &mut ParamSlots) {
        slots.tensors.clear();
        slots.keep("d", self.d);
        slots.keep("prev_flat_grad", self.grad);
        let mut number = |name: String, x| slots.numbers.insert(name, x);
        number("t".to_owned(), self.t);
        number("H_diag".to_owned(), self.h_diag);
        number("prev_loss".to_owned(), self.loss);
        for (i, ro) in self.ro.into_iter().enumerate() {
            number(format!("ro.{i}"), ro);
        }
        for (i, (bend, step)) in self.bends.into_iter().zip(self.moves).enumerate() {
            slots.keep(&format!("old_dirs.{i}"), bend);
            slots.keep(&format!("old_stps.{i}"), step);
        }
    }

    /// Remembers how the slope bent over the last move.
    fn learn(&mut self, grad: &Tensor, history_size: usize, scalars: Scalars) -> Result<()> {
        let bend = (grad - &self.grad)?;
        let step = (&self.d * self.t)?;
        let product = scalars.dot(&bend, &step)?;
        if product > 1e-10 {
            if self.ro.len() >= history_size {
                self.bends.remove(0);
                self.moves.remove(0);
                self.ro.remove(0);
            }
            self.h_diag = scalars.round(product / scalars.dot(&bend, &bend)?);
            self.ro.push(scalars.round(1.0 / product));
            self.bends.push(bend);
            self.moves.push(step);
        }
        Ok(())
    }

    /// Minus the gradient times the inverse of the curvature, in two loops over what is remembered.
    fn direction(&self, grad: &Tensor, scalars: Scalars) -> Result<Tensor> {
        let mut q = grad.neg()?;
        let mut al = Vec::with_capacity(self.ro.len());
        for ((bend, step), ro) in self.bends.iter().zip(&self.moves).zip(&self.ro).rev() {
            let a = scalars.round(scalars.dot(step, &q)? * ro);
            q = (q - (bend * a)?)?;
            al.push(a);
        }
        let mut r = (q * self.h_diag)?;
        for (((bend, step), ro), a) in self.bends.iter().zip(&self.moves).zip(&self.ro).zip(al.into_iter().rev()) {
            let b = scalars.round(scalars.dot(bend, &r)? * ro);
            r = (r + (step * scalars.round(a - b))?)?;
        }
        Ok(r)
    }
}

/// The weights of all parameters as one vector, and the loss over it.
struct Landscape<'a, 'b, 'c> {
    group: &'a StepGroup<'b>,
    again: &'a mut Again<'c>,
    /// 1, or -1 where the loss is to be climbed.
    sign: f64,
}

impl Landscape<'_, '_, '_> {
    fn evaluate(&mut self) -> Result<(f64, Tensor)> {
        let (loss, grads) = (self.again)()?;
        let mut flat = Vec::with_capacity(self.group.params.len());
        for (name, weight, _) in &self.group.params {
            let param = weight.var().as_detached_tensor();
            let grad = match grads.get(name) {
                Some(grad) => grad.to_dtype(param.dtype())?,
                None => param.zeros_like()?,
            };
            flat.push(grad.flatten_all()?);
        }
        let grad = Tensor::cat(&flat, 0)?.detach();
        Ok((self.sign * loss, if self.sign < 0.0 { grad.neg()? } else { grad }))
    }

    /// Copies of the weights.
    fn place(&self) -> Result<Vec<Tensor>> {
        self.group.params.iter().map(|(_, weight, _)| Ok(weight.var().as_detached_tensor().copy()?)).collect()
    }

    /// Puts the weights so far along a direction from a place.
    fn go(&self, from: &[Tensor], t: f64, d: &Tensor) -> Result<()> {
        let mut offset = 0;
        for ((_, weight, _), at) in self.group.params.iter().zip(from) {
            let n = at.elem_count();
            let part = d.narrow(0, offset, n)?.reshape(at.shape())?;
            weight.set(&(at + (part * t)?)?)?;
            offset += n;
        }
        Ok(())
    }
}

impl LBFGS {
    /// Follows the direction; returns the loss and gradient there, how far that was and how many evaluations it took.
    fn follow(
        &self,
        land: &mut Landscape<'_, '_, '_>,
        start: Point,
        (d, first): (&Tensor, f64),
        (evaluations, is_last): (usize, bool),
        scalars: Scalars,
    ) -> Result<(Point, usize)> {
        let place = land.place()?;
        if self.line_search_fn.is_none() {
            land.go(&place, first, d)?;
            // Nobody asks what the loss is after the last iteration.
            if is_last {
                return Ok((Point { t: first, ..start }, 0));
            }
            let (loss, grad) = land.evaluate()?;
            return Ok((Point { t: first, loss, grad, slope: 0.0 }, 1));
        }
        let mut evaluate = |t: f64| {
            land.go(&place, t, d)?;
            land.evaluate()
        };
        let line = Line {
            evaluate: &mut evaluate,
            start,
            direction: d,
            tolerance_change: self.tolerance_change,
            most: self.max_eval().saturating_sub(evaluations),
            scalars,
        };
        let (point, taken) = line.search(first)?;
        land.go(&place, point.t, d)?;
        Ok((point, taken))
    }

    fn max_eval(&self) -> usize {
        self.max_eval.unwrap_or(self.max_iter * 5 / 4)
    }

    /// The direction of an iteration and how far to go first, with what is remembered from now on.
    fn plan(&self, past: Option<Past>, loss: f64, grad: &Tensor, lr: f64, scalars: Scalars) -> Result<(Past, f64)> {
        let Some(mut past) = past else {
            let sum = grad.abs()?.sum_all()?.to_dtype(pleach_core::DType::F64)?.to_scalar::<f64>()?;
            let inverse = scalars.round(1.0 / sum);
            let first = if inverse < 1.0 { scalars.round(inverse * lr) } else { lr };
            let (bends, moves, ro) = (Vec::new(), Vec::new(), Vec::new());
            let d = grad.neg()?;
            return Ok((Past { d, t: first, bends, moves, ro, h_diag: 1.0, grad: grad.clone(), loss }, first));
        };
        past.learn(grad, self.history_size, scalars)?;
        past.d = past.direction(grad, scalars)?;
        (past.t, past.grad, past.loss) = (lr, grad.clone(), loss);
        Ok((past, lr))
    }
}

impl Optimizer for LBFGS {
    fn lr(&self) -> f64 {
        self.lr
    }

    fn one_group(&self) -> bool {
        true
    }

    fn update(&self, _: &Tensor, _: &Tensor, _: &mut ParamSlots, _: &Hyper) -> Result<Tensor> {
        Err(Error::new("PL0407", "LBFGS steps with all parameters together, and evaluates the loss itself"))
    }

    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, again: Option<&mut Again<'_>>) -> Result<()> {
        let Some(again) = again else {
            return Err(Error::new("PL0407", "LBFGS needs to evaluate the loss anew, and nothing lets it"));
        };
        let Some((_, first, _)) = group.params.first() else { return Ok(()) };
        let scalars = Scalars(first.var().dtype());
        let numel = group.params.iter().map(|(_, weight, _)| weight.var().elem_count()).sum();
        let slots = memory.0.entry(group.key.to_owned()).or_default();
        let mut past = Past::load(slots, numel)?;
        let mut land = Landscape { group, again, sign: if self.maximize { -1.0 } else { 1.0 } };
        let (mut loss, mut grad) = land.evaluate()?;
        let mut evaluations = 1;
        let mut iterations = 0;
        let mut done = scalars.greatest(&grad)? <= self.tolerance_grad;
        while iterations < self.max_iter && !done {
            iterations += 1;
            let (now, first) = self.plan(past.take(), loss, &grad, group.hyper.lr, scalars)?;
            let now = past.insert(now);
            let slope = scalars.dot(&grad, &now.d)?;
            if slope > -self.tolerance_change {
                break;
            }
            let start = Point { t: 0.0, loss, grad: grad.clone(), slope };
            let end = (evaluations, iterations == self.max_iter);
            let (point, taken) = self.follow(&mut land, start, (&now.d, first), end, scalars)?;
            evaluations += taken;
            (now.t, loss, grad) = (point.t, point.loss, point.grad);
            done = evaluations >= self.max_eval()
                || scalars.greatest(&grad)? <= self.tolerance_grad
                || scalars.greatest(&(&now.d * now.t)?)? <= self.tolerance_change
                || (loss - now.loss).abs() < self.tolerance_change;
        }
        if let Some(past) = past {
            past.store(slots);
        }
        for (name, n) in [("n_iter", iterations), ("func_evals", evaluations)] {
            *slots.numbers.entry(name.to_owned()).or_insert(0.0) += n as f64;
        }
        Ok(())
    }
}
