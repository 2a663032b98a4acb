//! How the losses of single elements become one number.

use pleach_core::diagnostic::Diagnostic;
use pleach_core::export::{schemars, serde};
use pleach_core::read::{Read, Reader, one_of};
use pleach_core::tree::{Node, Value};
use pleach_core::{DType, Result, Tensor};

/// How the losses of single elements become one number. There is no `none`: training follows one number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(crate = "pleach_core::export::serde", rename_all = "snake_case")]
#[schemars(crate = "pleach_core::export::schemars")]
pub enum Reduction {
    /// Their mean: the rate need not change with the size of a batch.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl Read for Reduction {
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        if matches!(&node.value, Value::Str(s) if s == "none") {
            let text = "the reduction `none` leaves one loss for each element, and training follows one number";
            r.report(Diagnostic::new("PL0109", Some(node.place), text).label("write \"mean\" or \"sum\""));
            return None;
        }
        Some(match one_of(node, &["mean", "sum"], r)? {
            "sum" => Self::Sum,
            _ => Self::Mean,
        })
    }
}

/// The sum of all elements in f64, which keeps millions of small numbers exact.
pub(crate) fn sum(x: &Tensor) -> Result<Tensor> {
    Ok(x.to_dtype(DType::F64)?.sum_all()?)
}
