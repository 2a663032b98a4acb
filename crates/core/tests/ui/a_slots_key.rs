use pleach_core::plugin;

/// Documented.
#[plugin(loss)]
struct Loss {
    /// Documented.
    #[plugin(default = 1.0)]
    factor: f64,
}

fn main() {}
