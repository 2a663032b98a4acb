//! A metric in its slot: over all rows together, or for each video or sample alone, with the mean of what they give.

use super::DynMetric;
use crate::kinds::source::DataInfo;
use crate::row::Row;
use crate::saved::{self, Saved};
use crate::{Named, Plug, Result, Slot, config};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::BTreeMap;

/// What a metric is accumulated for.
#[config]
pub enum Per {
    /// Each video: its rows together give one value, and every video counts alike, however long it is.
    Video,
    /// Each sample: the mean over samples of what each gives alone.
    Sample,
}

/// Keys of a metric's slot.
#[config]
pub struct MetricSlot {
    /// `video`: the metric is accumulated for each video alone, and its values are the means over the videos that have
    /// them; a row without a video counts as a video of its own. `sample`: the same for each row. The names of the
    /// values end in `_per_video` or `_per_sample`. One state is kept for each. Off: over all rows together.
    pub per: Option<Per>,
}

/// One of a split's list in `[metrics]`: whoever measures calls these functions, which know of [`MetricSlot::per`].
pub type MetricConfig = Slot<dyn DynMetric, MetricSlot>;

type State = Box<dyn Any + Send>;

/// The state of a metric for each video or sample.
struct Groups {
    data: DataInfo,
    states: BTreeMap<Whose, State>,
}

#[derive(Serialize, Deserialize)]
struct SavedGroups {
    data: DataInfo,
    states: Vec<(Whose, Saved)>,
}

impl From<Plug<dyn DynMetric>> for MetricConfig {
    fn from(plug: Plug<dyn DynMetric>) -> Self {
        Self { slot: MetricSlot::default(), plug }
    }
}

impl MetricConfig {
    /// See [`Metric::start`](super::Metric::start).
    pub fn start(&self, data: &DataInfo) -> Box<dyn Any + Send> {
        match self.slot.per {
            None => self.plug.start(data),
            Some(_) => Box::new(Groups { data: data.clone(), states: BTreeMap::new() }),
        }
    }

    /// See [`Metric::update`](super::Metric::update).
    ///
    /// # Errors
    /// What the metric refuses.
    pub fn update(&self, state: &mut dyn Any, predicted: &Row, truth: &Row) -> Result<()> {
        let Some(per) = self.slot.per else { return self.plug.update(state, predicted, truth) };
        let Some(groups) = state.downcast_mut::<Groups>() else { return Ok(()) };
        let own = groups.states.entry(Whose::of(per, truth)).or_insert_with(|| self.plug.start(&groups.data));
        self.plug.update(&mut **own, predicted, truth)
    }

    /// See [`Metric::merge`](super::Metric::merge).
    pub fn merge(&self, state: &mut dyn Any, other: Box<dyn Any + Send>) {
        if self.slot.per.is_none() {
            return self.plug.merge(state, other);
        }
        let (Some(groups), Ok(other)) = (state.downcast_mut::<Groups>(), other.downcast::<Groups>()) else { return };
        for (whose, theirs) in other.states {
            let own = groups.states.entry(whose).or_insert_with(|| self.plug.start(&groups.data));
            self.plug.merge(&mut **own, theirs);
        }
    }

    /// See [`Metric::values`](super::Metric::values).
    pub fn values(&self, state: &dyn Any) -> Named<f64> {
        let Some(per) = self.slot.per else { return self.plug.values(state) };
        let Some(groups) = state.downcast_ref::<Groups>() else { return Named::new() };
        let each: Vec<Named<f64>> = groups.states.values().map(|own| self.plug.values(&**own)).collect();
        let mean = |name: String| {
            let found: Vec<f64> = each.iter().filter_map(|values| values.get(&name)).copied().collect();
            let mean = found.iter().sum::<f64>() / found.len() as f64;
            (!found.is_empty()).then(|| (per.name(&name), mean))
        };
        self.plug.names(&groups.data).into_iter().filter_map(mean).collect()
    }

    /// See [`Metric::names`](super::Metric::names).
    pub fn names(&self, data: &DataInfo) -> Vec<String> {
        let names = self.plug.names(data);
        match self.slot.per {
            None => names,
            Some(per) => names.iter().map(|name| per.name(name)).collect(),
        }
    }

    /// The state as data.
    ///
    /// # Errors
    /// It is not the state of this metric.
    pub fn save(&self, state: &dyn Any) -> Result<Saved> {
        if self.slot.per.is_none() {
            return self.plug.save(state);
        }
        let groups = saved::own::<Groups>(state)?;
        let states = groups.states.iter().map(|(whose, own)| Ok((whose.clone(), self.plug.save(&**own)?)));
        saved::save(&SavedGroups { data: groups.data.clone(), states: states.collect::<Result<_>>()? })
    }

    /// The state from data.
    ///
    /// # Errors
    /// The data are of something else.
    pub fn restore(&self, saved: &Saved) -> Result<Box<dyn Any + Send>> {
        if self.slot.per.is_none() {
            return self.plug.restore(saved);
        }
        let SavedGroups { data, states } = saved::load(saved)?;
        let states = states.into_iter().map(|(whose, own)| Ok((whose, self.plug.restore(&own)?)));
        Ok(Box::new(Groups { data, states: states.collect::<Result<_>>()? }))
    }
}

impl Per {
    fn name(self, name: &str) -> String {
        match self {
            Self::Video => format!("{name}_per_video"),
            Self::Sample => format!("{name}_per_sample"),
        }
    }
}

/// Who a state of its own is kept for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Whose {
    Video(String),
    Sample(String),
}

impl Whose {
    fn of(per: Per, row: &Row) -> Self {
        match (per, &row.video) {
            (Per::Video, Some(video)) => Self::Video(video.to_string()),
            _ => Self::Sample(row.id.key.to_string()),
        }
    }
}
