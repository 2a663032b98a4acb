//! Every model of this crate obeys the laws of plugins.

pleach_testkit::laws!(pleach_models);
