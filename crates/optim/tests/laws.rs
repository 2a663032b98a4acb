//! Every optimizer and scheduler of this crate obeys the laws of its kind.

pleach_testkit::laws!(pleach_optim);
