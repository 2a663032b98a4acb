//! Optimizers: how a gradient changes a parameter.

use crate::params::Weight;
use crate::{Follow, Named, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The rates in force for one step of a group; a scheduler may have set them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyper {
    /// Learning rate.
    pub lr: f64,
    /// SGD's momentum or Adam's first beta, where the optimizer has one.
    pub momentum: Option<f64>,
}

/// What an optimizer remembers of one parameter or of a whole group: tensors and numbers by name.
///
/// A clone shares the tensors, and the next step may write over them: who keeps one longer copies it.
#[derive(Debug, Clone, Default)]
pub struct ParamSlots {
    /// Tensors of the parameter's shape or any other.
    pub tensors: BTreeMap<String, Tensor>,
    /// Numbers, such as the count of steps.
    pub numbers: BTreeMap<String, f64>,
}

impl ParamSlots {
    /// A tensor that begins as zeros of the shape and type of `like`.
    pub fn zeros(&mut self, name: &str, like: &Tensor) -> Result<Tensor> {
        match self.tensors.get(name) {
            Some(t) => Ok(t.clone()),
            None => Ok(like.zeros_like()?),
        }
    }

    /// Keeps a tensor; it must not be part of a graph.
    pub fn keep(&mut self, name: &str, value: Tensor) {
        self.tensors.insert(name.to_owned(), value.detach());
    }

    /// Adds one to a count that begins at 0, and returns it.
    pub fn count(&mut self, name: &str) -> f64 {
        let n = self.numbers.entry(name.to_owned()).or_insert(0.0);
        *n += 1.0;
        *n
    }
}

/// Everything an optimizer remembers, by the name of a parameter or the key of a group.
#[derive(Debug, Clone, Default)]
pub struct Memory(pub BTreeMap<String, ParamSlots>);

/// The numbers of a [`Memory`], for `state.json`; the tensors go to `optim.safetensors` as `parameter/slot`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryNumbers(pub BTreeMap<String, BTreeMap<String, f64>>);

/// One group of parameters at a step: names, weights and gradients.
pub struct StepGroup<'a> {
    /// Under what the slots of the group as a whole are kept in [`Memory`]; no parameter is called so.
    pub key: &'a str,
    /// Parameters with their gradients, in the order of their names.
    pub params: Vec<(&'a str, &'a Weight, Tensor)>,
    /// The group's rates.
    pub hyper: Hyper,
    /// The gradients of all other groups, for rules over all gradients together (their norm).
    pub others: &'a [Tensor],
    /// What all gradients are yet to be multiplied by (clipping, the scale of a loss): 1 unless the optimizer
    /// [takes it](Optimizer::takes_scale).
    pub scale: f64,
    /// Averages to move along with the weights: `None` unless the optimizer [moves them](Optimizer::moves_averages).
    pub follow: Option<Follow<'a>>,
}

impl StepGroup<'_> {
    /// All gradients of the step: the group's own, then those of the others.
    pub fn all_gradients(&self) -> impl Iterator<Item = &Tensor> {
        self.params.iter().map(|(_, _, gradient)| gradient).chain(self.others)
    }
}

/// Evaluates loss and gradients anew at the present weights, for optimizers that search along a line.
pub type Again<'a> = dyn FnMut() -> Result<(f64, Named<Tensor>)> + 'a;

/// Changes parameters by their gradients. The struct holds parameters only; what changes is its slots.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called an optimizer, and does not implement `Optimizer`",
    label = "write `impl Optimizer for {Self}`"
)]
pub trait Optimizer: std::fmt::Debug + Send + Sync + 'static {
    /// The learning rate with which training begins.
    fn lr(&self) -> f64;

    /// What a momentum cycle may change: momentum or the first beta.
    fn momentum(&self) -> Option<f64> {
        None
    }

    /// Whether it works on all parameters together, so that groups of them are refused (LBFGS).
    fn one_group(&self) -> bool {
        false
    }

    /// Why it cannot train a parameter of this shape, where it cannot (Muon takes matrices alone).
    fn refuses(&self, _shape: &[usize]) -> Option<String> {
        None
    }

    /// Whether [`step`](Self::step) multiplies gradients by the group's scale itself, in the pass that reads them anyway. All others
    /// are given gradients that have been multiplied.
    fn takes_scale(&self) -> bool {
        false
    }

    /// Whether [`step`](Self::step) moves the group's averages itself, in the pass that writes the weights anyway. For all
    /// others they are moved in a pass of their own.
    fn moves_averages(&self) -> bool {
        false
    }

    /// The weight to evaluate and to ship, where it is another than the one that is trained (schedule-free methods,
    /// whose gradients are taken at a point beside the average that they are after).
    fn eval_weight(&self, _param: &Tensor, _slots: &ParamSlots, _hyper: &Hyper) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// The new value of one parameter from its value and gradient (no graph attached to either).
    ///
    /// It may be written over `param` and over the tensors in `slots`; what is returned becomes the weight.
    fn update(&self, param: &Tensor, grad: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor>;

    /// One step of a whole group; the usual optimizer needs only [`update`](Self::update).
    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _again: Option<&mut Again<'_>>) -> Result<()> {
        for (name, weight, grad) in &group.params {
            let slots = memory.0.entry((*name).to_owned()).or_default();
            weight.update(|now| self.update(now, grad, slots, &group.hyper))?;
        }
        Ok(())
    }
}

crate::kind!(Optimizer, "optimizer");
