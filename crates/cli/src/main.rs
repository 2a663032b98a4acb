//! The default binary: the command line with the default plugins.

fn main() -> std::process::ExitCode {
    pleach_cli::main()
}
