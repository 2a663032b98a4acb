//! Every plugin of this crate obeys the laws of its kind.

pleach_testkit::laws!(example_plugins);
