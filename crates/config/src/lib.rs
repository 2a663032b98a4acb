//! Turns files, --set and environment into a resolved run, or into carets.
