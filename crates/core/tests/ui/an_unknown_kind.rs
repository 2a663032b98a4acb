use pleach_core::plugin;

/// Documented.
#[plugin(los)]
struct Squares {}

fn main() {}
