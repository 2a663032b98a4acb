//! Cargo wants a build script beside `links`.
fn main() {}
