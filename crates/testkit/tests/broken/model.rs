//! Models that break a law.

use crate::hidden;
use pleach_core::params::Weight;
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] =
    &[("Refusing", &["builds a net"]), ("Nervous", &["the same each time"]), ("Idle", &["every parameter"])];

/// The mean of an image times a weight, beside a weight that nobody uses.
struct Means {
    weight: Weight,
    nervous: bool,
}

impl Net for Means {
    fn forward(&self, x: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        let mean = x.want("image")?.flatten_from(1)?.mean_keepdim(1)?;
        let mean = if self.nervous { (mean + 1e-3 * hidden() as f64)? } else { mean };
        Ok(Named::one("logits", mean.matmul(&self.weight.value())?))
    }
}

fn means(mut scope: Scope<'_>, spec: &ModelSpec, nervous: bool) -> Result<Box<dyn Net>> {
    let weight = scope.param("weight", (1, spec.out_channels), Init::Const(0.5))?;
    Ok(Box::new(Means { weight, nervous }))
}

/// Builds nothing, whatever is asked for.
#[plugin(model)]
struct Refusing {}

impl Model for Refusing {
    fn build(&self, _: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        Err(Error::new("PL0202", format!("{} channels are not enough", spec.in_channels)))
    }
}

/// Gives another output each time it is asked.
#[plugin(model)]
struct Nervous {}

impl Model for Nervous {
    fn build(&self, scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        means(scope, spec, true)
    }
}

/// Has a weight that takes no part in the output.
#[plugin(model)]
struct Idle {}

impl Model for Idle {
    fn build(&self, mut scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        scope.param("spare", 3, Init::Const(0.0))?;
        means(scope, spec, false)
    }
}
