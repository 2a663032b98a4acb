//! Where a run is: the whole state of the loader, and the count of everything else.

use pleach_core::state;

/// The place of a run. The order of an epoch is computed from the seed and the epoch, so that this
/// is all there is to know.
#[state]
#[derive(Copy, Default)]
pub struct Clock {
    /// Which phase, counted from 0.
    pub phase: usize,
    /// Optimizer steps taken in the whole run.
    pub step: u64,
    /// Epochs finished in the whole run.
    pub epoch: u32,
    /// Batches used of the present epoch.
    pub batch: usize,
    /// Steps taken before the present phase.
    pub phase_step: u64,
    /// Epochs finished before the present phase.
    pub phase_epoch: u32,
}

impl Clock {
    /// Steps taken in the present phase.
    pub fn steps_in_phase(&self) -> u64 {
        self.step - self.phase_step
    }

    /// Epochs finished in the present phase.
    pub fn epochs_in_phase(&self) -> u32 {
        self.epoch - self.phase_epoch
    }

    /// The start of the next phase.
    #[must_use]
    pub fn next_phase(self) -> Self {
        Self { phase: self.phase + 1, batch: 0, phase_step: self.step, phase_epoch: self.epoch, ..self }
    }
}
