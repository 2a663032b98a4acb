use pleach_core::{GroupRates, Plan, Result, Scheduler, Tick};

macro_rules! constant {
    () => {
        impl Scheduler for Constant {
            type State = ();

            fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<()> {
                Ok(())
            }

            fn rate(&self, (): &mut (), _: &Tick, _: &mut [GroupRates]) -> Result<()> {
                Ok(())
            }
        }
    };
}

mod ours {
    use super::*;

    /// Documented.
    #[pleach_core::plugin(scheduler)]
    pub struct Constant {}

    constant!();
}

mod theirs {
    use super::*;

    /// Documented.
    #[pleach_core::plugin(scheduler)]
    pub struct Constant {}

    constant!();
}

fn main() {}
