//! Checks spans of training that schedulers count in ticks.

use pleach_core::quantity::Span;
use pleach_core::read::Rules;
use pleach_core::{Plan, Result};

/// Refuses a span of nothing.
pub(crate) fn check(rules: &mut Rules, field: &'static str, span: Span) {
    let nothing = match span {
        Span::Ticks(n) | Span::Steps(n) => n == 0,
        Span::Epochs(x) | Span::Percent(x) => x <= 0.0,
    };
    if nothing {
        rules.refuse(field, format!("`{field}` must be more than 0"));
    }
}

/// The span of a field in ticks of the slot, at least one.
///
/// # Errors
/// It is a share of a run without an end.
pub(crate) fn ticks(plan: &Plan, field: &str, span: Span) -> Result<u64> {
    plan.count(field, span).map(|n| n.max(1))
}
