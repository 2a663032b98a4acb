//! Run files, right and wrong ones, read with every plugin of the default program.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;

mod by_schema;
mod corpus;
mod mutations;
mod pages;
#[path = "../../../fuzz/reader.rs"]
mod reader;
mod twins;
