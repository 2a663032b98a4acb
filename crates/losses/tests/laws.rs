//! Every loss of this crate obeys the laws of losses.

pleach_testkit::laws!(pleach_losses);
