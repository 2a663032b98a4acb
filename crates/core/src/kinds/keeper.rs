//! Keepers: which checkpoints stay.

use crate::kinds::observer::RunInfo;
use crate::saved::{self, Saved};
use crate::{Plug, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};

/// A checkpoint that could be written now.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The step, which is its name.
    pub step: u64,
    /// The epoch, counted from 0.
    pub epoch: u32,
    /// Whether an epoch ends here.
    pub epoch_end: bool,
    /// Whether the run ends here.
    pub run_end: bool,
    /// The latest metrics by their full names.
    pub metrics: BTreeMap<String, f64>,
}

/// The steps whose checkpoints a keeper wants to have; the trainer writes the candidate if any
/// keeper wants it, and deletes what it wrote and no keeper wants any more.
pub type Action = BTreeSet<u64>;

/// Chooses checkpoints: a pure function of what it has seen.
pub trait Keeper: std::fmt::Debug + Send + Sync + 'static {
    /// What is remembered: the list of what it holds.
    type State: Serialize + DeserializeOwned + Send + 'static;

    /// Nothing yet.
    fn start(&self) -> Self::State;

    /// The steps to hold now.
    fn hold(&self, state: &mut Self::State, candidate: &Candidate, run: &RunInfo) -> Action;

    /// Metrics that it watches, by their full names.
    fn monitors(&self) -> Vec<String> {
        Vec::new()
    }
}

/// [`Keeper`] with its state behind [`Any`]: what a slot holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a keeper, and does not implement `Keeper`",
    label = "write `impl Keeper for {Self}`"
)]
pub trait DynKeeper: std::fmt::Debug + Send + Sync + 'static {
    /// See [`Keeper::start`].
    fn start(&self) -> Box<dyn Any + Send>;
    /// See [`Keeper::hold`].
    fn hold(&self, state: &mut dyn Any, candidate: &Candidate, run: &RunInfo) -> Action;
    /// See [`Keeper::monitors`].
    fn monitors(&self) -> Vec<String>;
    /// The state as data.
    fn save(&self, state: &dyn Any) -> Result<Saved>;
    /// The state from data.
    fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>>;
}

impl<T: Keeper> DynKeeper for T {
    fn start(&self) -> Box<dyn Any + Send> {
        Box::new(Keeper::start(self))
    }
    fn hold(&self, state: &mut dyn Any, candidate: &Candidate, run: &RunInfo) -> Action {
        state.downcast_mut().map(|s| Keeper::hold(self, s, candidate, run)).unwrap_or_default()
    }
    fn monitors(&self) -> Vec<String> {
        Keeper::monitors(self)
    }
    fn save(&self, state: &dyn Any) -> Result<Saved> {
        saved::save(saved::own::<T::State>(state)?)
    }
    fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>> {
        Ok(Box::new(saved::load::<T::State>(saved)?))
    }
}

/// One of `[[keeper]]`.
pub type KeeperConfig = Plug<dyn DynKeeper>;

crate::kind!(DynKeeper, "keeper");
