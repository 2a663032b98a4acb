//! Remembers which operations a piece of a net is made of, so that gradients pass through it from one to the next.

use crate::backward::kept;
use crate::sum::sum;
use candle_core::{CustomOp1, CustomOp2, CustomOp3, Result, Tensor, TensorId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

thread_local! {
    /// What is being remembered on this thread, the innermost last.
    static TAPES: RefCell<Vec<Tape>> = const { RefCell::new(Vec::new()) };
}

/// Operations in the order of their application.
#[derive(Default)]
pub(crate) struct Tape {
    nodes: Vec<Node>,
}

/// An operation with its inputs and its result.
pub(crate) struct Node {
    pub op: Op,
    pub result: Tensor,
}

/// An operation of one, two or three tensors.
#[derive(Clone)]
pub(crate) enum Op {
    One(Arc<Box<dyn CustomOp1 + Send + Sync>>, [Tensor; 1]),
    Two(Arc<Box<dyn CustomOp2 + Send + Sync>>, [Tensor; 2]),
    Three(Arc<Box<dyn CustomOp3 + Send + Sync>>, [Tensor; 3]),
}

impl Op {
    /// Applies the operation, as candle does, and remembers it where someone asks for that.
    pub fn apply(self) -> Result<Tensor> {
        let result = match &self {
            Self::One(op, [a]) => a.apply_op1_arc(op.clone()),
            Self::Two(op, [a, b]) => a.apply_op2_arc(b, op.clone()),
            Self::Three(op, [a, b, c]) => a.apply_op3_arc(b, c, op.clone()),
        }?;
        TAPES.with_borrow_mut(|tapes| {
            if let Some(tape) = tapes.last_mut().filter(|_| result.track_op()) {
                tape.nodes.push(Node { op: self, result: result.clone() });
            }
        });
        Ok(result)
    }

    fn inputs(&self) -> &[Tensor] {
        match self {
            Self::One(_, inputs) => inputs,
            Self::Two(_, inputs) => inputs,
            Self::Three(_, inputs) => inputs,
        }
    }

    fn backward(&self, y: &Tensor, dy: &Tensor) -> Result<Vec<Option<Tensor>>> {
        Ok(match self {
            Self::One(op, [a]) => vec![op.bwd(a, y, dy)?],
            Self::Two(op, [a, b]) => {
                let (da, db) = op.bwd(a, b, y, dy)?;
                vec![da, db]
            }
            Self::Three(op, [a, b, c]) => {
                let (da, db, dc) = op.bwd(a, b, c, y, dy)?;
                vec![da, db, dc]
            }
        })
    }
}

impl Tape {
    /// Does something, and gives the operations of this crate that it applied on this thread to tensors with gradients.
    pub fn of<R>(work: impl FnOnce() -> R) -> (R, Self) {
        /// Takes the tape back also when the work panics.
        struct Guard;
        impl Drop for Guard {
            fn drop(&mut self) {
                TAPES.with_borrow_mut(|tapes| drop(tapes.pop()));
            }
        }
        TAPES.with_borrow_mut(|tapes| tapes.push(Self::default()));
        let guard = Guard;
        let result = work();
        let tape = TAPES.with_borrow_mut(|tapes| tapes.last_mut().map(std::mem::take)).unwrap_or_default();
        drop(guard);
        (result, tape)
    }

    /// The tensors from outside that the operations, or `results` themselves, take gradients to.
    pub fn sources(&self, results: &[Tensor]) -> Vec<Tensor> {
        let made: Vec<TensorId> = self.nodes.iter().map(|node| node.result.id()).collect();
        let mut sources: Vec<Tensor> = Vec::new();
        for t in self.nodes.iter().flat_map(|node| node.op.inputs()).chain(results) {
            if t.track_op() && !made.contains(&t.id()) && sources.iter().all(|source| source.id() != t.id()) {
                sources.push(t.clone());
            }
        }
        sources
    }

    /// The gradients of `sources`, given those of results; nothing for what is left to [`kept`], or what nothing depends on.
    pub fn backward(&self, results: &[(TensorId, Tensor)], sources: &[Tensor]) -> Result<Vec<Option<Tensor>>> {
        let mut grads: HashMap<TensorId, Tensor> = HashMap::new();
        let add = |grads: &mut HashMap<TensorId, Tensor>, id: TensorId, more: Tensor| -> Result<()> {
            let total = match grads.remove(&id) {
                Some(before) => sum(&before, &more)?,
                None => more,
            };
            grads.insert(id, total);
            Ok(())
        };
        for (id, gradient) in results {
            add(&mut grads, *id, gradient.clone())?;
        }
        for node in self.nodes.iter().rev() {
            let Some(dy) = grads.remove(&node.result.id()) else { continue };
            let of = node.op.backward(&node.result, &dy)?;
            for (input, gradient) in node.op.inputs().iter().zip(of) {
                if let Some(gradient) = kept(input, gradient.filter(|_| input.track_op()))? {
                    add(&mut grads, input.id(), gradient)?;
                }
            }
        }
        Ok(sources.iter().map(|source| grads.remove(&source.id())).collect())
    }
}
