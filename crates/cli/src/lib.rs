//! The command line of pleach, as a library main() and the default binary.
