use pleach_core::plugin;

/// Documented.
#[plugin(loss)]
enum Distance {
    /// Documented.
    Squared,
    /// Documented.
    Absolute,
}

fn main() {}
