//! Every plugin of the default binary obeys the laws of its kind.
#![allow(missing_docs)]

use pleach_cli as _;

pleach_testkit::laws!();
