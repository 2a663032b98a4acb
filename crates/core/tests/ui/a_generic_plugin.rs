use pleach_core::plugin;

/// Documented.
#[plugin(scheduler)]
struct Steps<T> {
    /// Documented.
    #[plugin(default = 3)]
    step_size: T,
}

fn main() {}
