use pleach_core::plugin;

/// Documented.
#[plugin(optimizer)]
struct Descent(f64);

fn main() {}
