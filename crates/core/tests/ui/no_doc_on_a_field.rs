use pleach_core::plugin;

/// Documented.
#[plugin(loss)]
struct Loss {
    #[plugin(default = 1.0)]
    weight: f64,
}

fn main() {}
