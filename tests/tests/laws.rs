//! Every plugin of the default binary obeys the laws of its kind.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;

pleach_testkit::laws!();
