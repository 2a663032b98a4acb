//! Named tensors put into the parameters of the same names, wholly or as far as they fit.

use crate::params::Params;
use crate::{Error, Result, Tensor};
use std::collections::BTreeMap;

/// Whether every tensor must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Every name and shape must, on both sides.
    Strict,
    /// What fits is taken, and the rest is listed.
    Partial,
}

/// What a loading came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Parameters that were set.
    pub loaded: Vec<String>,
    /// Parameters for which there was no tensor.
    pub missing: Vec<String>,
    /// Tensors for which there was no parameter.
    pub unexpected: Vec<String>,
    /// Names whose shapes differ, with the shape of the parameter and of the tensor.
    pub mismatched: Vec<(String, Vec<usize>, Vec<usize>)>,
}

/// How many names of a list a message shows.
const SHOWN: usize = 10;

impl LoadReport {
    /// Whether everything fitted.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.mismatched.is_empty()
    }

    /// What did not fit, a line for each sort; none if all did.
    pub fn notes(&self, from: &str) -> Vec<String> {
        if self.is_complete() {
            return Vec::new();
        }
        let mut notes = vec![format!("{} tensors of {from} fitted", self.loaded.len())];
        notes.extend(self.lines());
        notes
    }

    fn lines(&self) -> Vec<String> {
        let shapes: Vec<String> = self
            .mismatched
            .iter()
            .map(|(name, ours, theirs)| format!("{name} ({ours:?} here, {theirs:?} there)"))
            .collect();
        let all = [("missing", &self.missing), ("not known here", &self.unexpected), ("of another shape", &shapes)];
        let line = |(what, names): (&str, &Vec<String>)| {
            let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
            let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
            (!names.is_empty()).then(|| format!("{} {what}: {}{more}", names.len(), shown.join(", ")))
        };
        all.into_iter().filter_map(line).collect()
    }
}

impl Params {
    /// Puts tensors into the parameters and buffers of their names, converted to their type and device.
    ///
    /// PyTorch's counters `num_batches_tracked` may be absent on either side.
    ///
    /// # Errors
    /// With [`Fit::Strict`], `PL0210` with a list of what does not fit; nothing is changed then.
    pub fn load(&self, tensors: &BTreeMap<String, Tensor>, fit: Fit) -> Result<LoadReport> {
        let mut report = LoadReport::default();
        let counter = |name: &str| name.ends_with("num_batches_tracked");
        let mut pairs = Vec::new();
        for (name, weight) in self.iter() {
            match tensors.get(name) {
                None if counter(name) => {}
                None => report.missing.push(name.to_owned()),
                Some(t) if t.dims() == weight.var().dims() => {
                    report.loaded.push(name.to_owned());
                    pairs.push((weight, t));
                }
                Some(t) => report.mismatched.push((name.to_owned(), weight.var().dims().to_vec(), t.dims().to_vec())),
            }
        }
        report.unexpected = tensors.keys().filter(|n| self.get(n).is_none() && !counter(n)).cloned().collect();
        if fit == Fit::Strict && !report.is_complete() {
            return Err(Error::new("PL0210", format!("the weights do not fit: {}", report.lines().join("; ")))
                .hint("`strict = false` in [model] loads what fits"));
        }
        for (weight, tensor) in pairs {
            weight.set(&tensor.to_device(self.device())?.to_dtype(weight.var().dtype())?)?;
        }
        Ok(report)
    }
}
