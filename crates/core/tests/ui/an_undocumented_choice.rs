use pleach_core::config;

/// Documented.
#[config]
enum Reduction {
    /// Documented.
    Mean,
    Sum,
}

fn main() {}
