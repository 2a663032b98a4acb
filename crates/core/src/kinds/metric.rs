//! Metrics: what is measured over predicted and true rows.

use crate::kinds::source::DataInfo;
use crate::row::Row;
use crate::saved::{self, Saved};
use crate::{Named, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::any::Any;

mod per;

pub use per::{MetricConfig, MetricSlot, Per};

/// Which way is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// What a metric reads of a row; a task that does not predict it is refused before training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// [`Row::labels`].
    Labels,
    /// [`Row::maps`].
    Maps,
    /// [`Row::instances`].
    Instances,
    /// [`Row::values`].
    Values,
    /// [`Row::frames`].
    Frames,
}

/// An accumulator over rows that merges. Rows of a video come in the order of its frames.
pub trait Metric: std::fmt::Debug + Send + Sync + 'static {
    /// What is accumulated.
    type State: Serialize + DeserializeOwned + Send + 'static;

    /// Nothing yet.
    fn start(&self, data: &DataInfo) -> Self::State;

    /// Adds one sample.
    fn update(&self, state: &mut Self::State, predicted: &Row, truth: &Row) -> Result<()>;

    /// Adds what another accumulator has seen after this one.
    fn merge(&self, state: &mut Self::State, other: Self::State);

    /// The values by name in snake case (`accuracy`); the first is the main one.
    fn values(&self, state: &Self::State) -> Named<f64>;

    /// The names of all values that it can have over such data; those of a state may be fewer.
    fn names(&self, data: &DataInfo) -> Vec<String> {
        self.values(&self.start(data)).names().map(str::to_owned).collect()
    }

    /// Which way is up.
    fn better(&self) -> Better;

    /// What it reads.
    fn reads(&self) -> Part;

    /// The unit of its main value: "" for a share, "px", "dB" ...
    fn unit(&self) -> &'static str {
        ""
    }
}

/// [`Metric`] with its state behind [`Any`]: what a slot holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called a metric, and does not implement `Metric`",
    label = "write `impl Metric for {Self}`"
)]
pub trait DynMetric: std::fmt::Debug + Send + Sync + 'static {
    /// See [`Metric::start`].
    fn start(&self, data: &DataInfo) -> Box<dyn Any + Send>;
    /// See [`Metric::update`].
    fn update(&self, state: &mut dyn Any, predicted: &Row, truth: &Row) -> Result<()>;
    /// See [`Metric::merge`].
    fn merge(&self, state: &mut dyn Any, other: Box<dyn Any + Send>);
    /// See [`Metric::values`].
    fn values(&self, state: &dyn Any) -> Named<f64>;
    /// See [`Metric::names`].
    fn names(&self, data: &DataInfo) -> Vec<String>;
    /// See [`Metric::better`].
    fn better(&self) -> Better;
    /// See [`Metric::reads`].
    fn reads(&self) -> Part;
    /// See [`Metric::unit`].
    fn unit(&self) -> &'static str;
    /// The state as data.
    fn save(&self, state: &dyn Any) -> Result<Saved>;
    /// The state from data.
    fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>>;
}

impl<T: Metric> DynMetric for T {
    fn start(&self, data: &DataInfo) -> Box<dyn Any + Send> {
        Box::new(Metric::start(self, data))
    }
    fn update(&self, state: &mut dyn Any, predicted: &Row, truth: &Row) -> Result<()> {
        match state.downcast_mut() {
            Some(state) => Metric::update(self, state, predicted, truth),
            None => Ok(()),
        }
    }
    fn merge(&self, state: &mut dyn Any, other: Box<dyn Any + Send>) {
        if let (Some(state), Ok(other)) = (state.downcast_mut(), other.downcast()) {
            Metric::merge(self, state, *other);
        }
    }
    fn values(&self, state: &dyn Any) -> Named<f64> {
        state.downcast_ref().map(|s| Metric::values(self, s)).unwrap_or_default()
    }
    fn names(&self, data: &DataInfo) -> Vec<String> {
        Metric::names(self, data)
    }
    fn better(&self) -> Better {
        Metric::better(self)
    }
    fn reads(&self) -> Part {
        Metric::reads(self)
    }
    fn unit(&self) -> &'static str {
        Metric::unit(self)
    }
    fn save(&self, state: &dyn Any) -> Result<Saved> {
        saved::save(saved::own::<T::State>(state)?)
    }
    fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>> {
        Ok(Box::new(saved::load::<T::State>(saved)?))
    }
}

crate::kind!(DynMetric, "metric");
