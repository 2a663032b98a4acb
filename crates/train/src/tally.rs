//! What an epoch or a pass over a split sums up: losses and metrics, as data that survives a kill.

use pleach_core::kinds::metric::MetricConfig;
use pleach_core::{DataInfo, Named, Result, Row, Saved};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::BTreeMap;

/// Running means of losses, and the states of metrics.
pub struct Tally<'a> {
    split: &'static str,
    means: Means,
    metrics: Vec<(&'a MetricConfig, Box<dyn Any + Send>)>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Means {
    sums: BTreeMap<String, f64>,
    weight: f64,
}

#[derive(Serialize, Deserialize)]
struct Data {
    means: Means,
    metrics: Vec<Saved>,
}

impl<'a> Tally<'a> {
    /// Nothing yet, for metrics whose names begin with the split's.
    pub fn new(split: &'static str, metrics: &'a [MetricConfig], data: &DataInfo) -> Self {
        let metrics = metrics.iter().map(|m| (m, m.start(data))).collect();
        Self { split, means: Means::default(), metrics }
    }

    /// Adds the loss of a batch with the weight of its samples.
    pub fn add_losses(&mut self, loss: f64, parts: &Named<f64>, samples: usize) {
        let weight = samples as f64;
        *self.means.sums.entry("loss".into()).or_insert(0.0) += loss * weight;
        if parts.len() > 1 {
            for (name, part) in parts.iter() {
                *self.means.sums.entry(name.to_owned()).or_insert(0.0) += part * weight;
            }
        }
        self.means.weight += weight;
    }

    /// Whether any metric wants rows.
    pub fn wants_rows(&self) -> bool {
        !self.metrics.is_empty()
    }

    /// Adds predicted rows with their truths.
    pub fn add_rows(&mut self, predicted: &[Row], truth: &[Row]) -> Result<()> {
        for (metric, state) in &mut self.metrics {
            for (p, t) in predicted.iter().zip(truth) {
                metric.update(&mut **state, p, t)?;
            }
        }
        Ok(())
    }

    /// The values by their full names (`val_loss`, `val_accuracy`).
    pub fn values(&self) -> Named<f64> {
        let mut all = Named::new();
        if self.means.weight > 0.0 {
            for (name, sum) in &self.means.sums {
                all.insert(format!("{}_{name}", self.split), sum / self.means.weight);
            }
        }
        for (metric, state) in &self.metrics {
            for (name, value) in metric.values(&**state) {
                all.insert(format!("{}_{name}", self.split), value);
            }
        }
        all
    }

    /// As data.
    pub fn save(&self) -> Result<Saved> {
        let metrics = self.metrics.iter().map(|(m, state)| m.save(&**state)).collect::<Result<_>>()?;
        pleach_core::saved::save(&Data { means: self.means.clone(), metrics })
    }

    /// From data.
    pub fn restore(&mut self, saved: &Saved) -> Result<()> {
        let data: Data = pleach_core::saved::load(saved)?;
        self.means = data.means;
        for ((metric, state), saved) in self.metrics.iter_mut().zip(&data.metrics) {
            *state = metric.restore(saved)?;
        }
        Ok(())
    }
}
