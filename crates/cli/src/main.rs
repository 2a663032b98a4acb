//! The default binary: the command line with the default plugins.

/// Tensors begin with cache lines.
#[global_allocator]
static MEMORY: pleach_cli::Aligned = pleach_cli::Aligned;

fn main() -> std::process::ExitCode {
    pleach_cli::main()
}
