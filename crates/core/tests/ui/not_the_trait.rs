use pleach_core::plugin;

/// A plugin that does not implement its kind's trait.
#[plugin(loss)]
struct Empty {}

fn main() {}
