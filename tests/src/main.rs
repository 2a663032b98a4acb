//! The program as a user gets it, where this package's tests can find it.

fn main() -> std::process::ExitCode {
    pleach_cli::main()
}
