//! PyTorch's choices of implementation exclude each other, though none has an effect here.

use pleach_core::read::Rules;

/// Refuses what PyTorch refuses.
pub(crate) fn check(rules: &mut Rules, fused: Option<bool>, foreach: Option<bool>, differentiable: Option<bool>) {
    let on = |switch| switch == Some(true);
    if on(fused) && on(differentiable) {
        rules.refuse("fused", "PyTorch's `fused` does not go with `differentiable`");
    }
    if on(fused) && on(foreach) {
        rules.refuse("fused", "PyTorch's `fused` does not go with `foreach`");
    }
}
