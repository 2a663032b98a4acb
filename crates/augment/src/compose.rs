//! Augmentations that are made of others: in order, one of them, some of them, and by chance as a whole.

mod children;
mod one_of;
mod random_choice;
mod random_order;
mod sequential;
mod some_of;

pub use children::Chosen;
pub use one_of::OneOf;
pub use random_choice::RandomChoice;
pub use random_order::RandomOrder;
pub use sequential::{Compose, RandomApply, Sequential};
pub use some_of::SomeOf;
