use pleach_core::plugin;

/// Documented.
#[plugin(loss)]
struct Empty {}

fn main() {}
