use pleach_core::plugin;

/// Documented.
#[plugin(scheduler)]
struct Steps {
    /// Documented.
    #[plugin(default = 3, example = 4)]
    step_size: u64,
}

fn main() {}
