//! The laws that every plugin of a kind obeys, for us and for third parties.
//!
//! A plugin crate takes this crate as a dev-dependency and writes one line into `tests/laws.rs`:
//!
//! ```ignore
//! pleach_testkit::laws!(my_crate);
//! ```
//!
//! which makes a test that links the crate and holds each of its plugins against the laws of its kind
//! ([`laws`]). [`gradcheck`] compares a gradient with differences, for operations that are no plugins.

mod fault;
mod gradcheck;
pub mod laws;

pub use fault::{Check, Fault};
pub use gradcheck::gradcheck;

/// Makes the test `every_plugin_obeys_the_laws`: for one crate, which it also links, or without an
/// argument for all plugins that the test program has.
#[macro_export]
macro_rules! laws {
    () => {
        #[test]
        fn every_plugin_obeys_the_laws() {
            $crate::laws::assert_all(None);
        }
    };
    ($krate:ident) => {
        use $krate as _;

        #[test]
        fn every_plugin_obeys_the_laws() {
            $crate::laws::assert_all(Some(stringify!($krate)));
        }
    };
}
