//! The program as a user gets it, where this package's tests can find it.

/// Tensors begin with cache lines.
#[global_allocator]
static MEMORY: pleach_cli::Aligned = pleach_cli::Aligned;

fn main() -> std::process::ExitCode {
    pleach_cli::main()
}
