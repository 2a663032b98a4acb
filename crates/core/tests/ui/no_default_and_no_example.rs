use pleach_core::plugin;

/// Documented.
#[plugin(scheduler)]
struct Steps {
    /// Documented.
    step_size: u64,
}

fn main() {}
