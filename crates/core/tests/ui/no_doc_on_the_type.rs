use pleach_core::plugin;

#[plugin(loss)]
struct Undocumented {
    /// Documented.
    #[plugin(default = 1.0)]
    weight: f64,
}

fn main() {}
