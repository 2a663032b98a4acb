//! Plugins of kinds that only this program has, one sound and the others not.

use pleach_core::plugin;

pub const BREAKS: &[(&str, &[&str])] = &[
    ("Usurper", &["one plugin of its kind"]),
    ("Sound", &["one plugin of its kind"]),
    ("Silent", &["says what it does"]),
    ("Twins", &["a typo"]),
    ("Boundless", &["written out and read"]),
    ("Lossy", &["comes back equal"]),
];

/// A kind that calls itself as another does: the attribute cannot know which keys its slot has.
pub mod oddity {
    pub trait Oddity: Send + Sync {}
    pleach_core::kind!(Oddity, "scheduler");
}

/// Has a parameter that the slot takes away.
#[plugin(crate::any::oddity)]
struct Robbed {
    /// How often it is done.
    #[plugin(default = 1)]
    every: u32,
}

impl oddity::Oddity for Robbed {}

pub mod gadget {
    pub trait Gadget: Send + Sync {}
    pleach_core::kind!(Gadget, "gadget");
}

macro_rules! gadgets {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty),* })*) => {
        $($(#[$meta])* #[allow(dead_code)] struct $name { $($(#[$field_meta])* $field: $ty),* }
        impl gadget::Gadget for $name {})*
    };
}

gadgets! {
    /// Does nothing, in the right way.
    #[plugin(crate::any::gadget, alias = ["Harmless"])]
    Sound {
        /// Metres from here to there.
        #[plugin(example = 0.5, range = 0.0..=1.0)]
        reach: f64,
        /// Whatever else is to be said.
        #[plugin(default = None)]
        words: Option<Vec<String>>
    }

    /// Does nothing under a name that another has.
    #[plugin(crate::any::gadget, alias = ["Harmless"])]
    Usurper {}

    /// Does nothing without a word.
    #[plugin(crate::any::gadget)]
    Silent {
        /// Gain
        #[plugin(default = 1)]
        gain: u32
    }

    /// Has two keys that one letter tells apart.
    #[plugin(crate::any::gadget)]
    Twins {
        /// How many bats there are.
        #[plugin(default = 1)]
        bats: u32,
        /// Which bat it is.
        #[plugin(default = 1)]
        bat: u32
    }

    /// Has a default that it does not take.
    #[plugin(crate::any::gadget)]
    Boundless {
        /// A share of the whole.
        #[plugin(default = 2.0, range = 0.0..=1.0)]
        share: f64
    }

    /// Loses a parameter on its way through a checkpoint.
    #[plugin(crate::any::gadget)]
    Lossy {
        /// Something worth keeping.
        #[plugin(default = 3)]
        #[serde(skip)]
        kept: u32
    }
}
