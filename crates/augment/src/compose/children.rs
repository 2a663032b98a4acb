//! What augmentations made of others share: the decisions of those that ran, as data.

use crate::{HorizontalFlip, VerticalFlip};
use pleach_core::kinds::augmentation::{AugmentConfig, AugmentSlot, Tagged, Work};
use pleach_core::{Backend, Error, Plug, Result, Rng, RowView, Saved, Seat, saved, state};

/// One that ran, and what it decided.
#[state]
pub struct Chosen {
    /// Its place in the list.
    pub index: usize,
    /// Its draw.
    pub draw: Saved,
}

/// Whether a child's own `p` is tossed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toss {
    /// It is.
    Own,
    /// It was chosen already.
    Never,
}

/// Applies what is outstanding where a child looks at rows: before each that runs and after the last, since a repeat does
/// not know which others were tossed.
fn settle(all: &[AugmentConfig], work: &mut Work<'_>) -> Result<()> {
    if all.iter().any(|a| a.plug.looks()) {
        work.settled()?;
    }
    Ok(())
}

/// Runs children in the given order and keeps what they decided.
pub(crate) fn run(
    all: &[AugmentConfig],
    order: &[usize],
    toss: Toss,
    rng: &mut Rng,
    work: &mut Work<'_>,
    keep: Option<&mut Option<Saved>>,
) -> Result<bool> {
    let mut chosen = Vec::new();
    let mut any = false;
    for &index in order {
        let Some(child) = all.get(index) else { continue };
        settle(all, work)?;
        let mut draw = None;
        let wanted = keep.is_some().then_some(&mut draw);
        let done = match toss {
            Toss::Own => child.try_on(rng, work, wanted),
            Toss::Never => child.chosen_on(rng, work, wanted),
        };
        any |= done.map_err(|e| e.context(child.plug.name()))?;
        chosen.extend(draw.map(|draw| Chosen { index, draw }));
    }
    settle(all, work)?;
    if let (Some(keep), true) = (keep, any) {
        *keep = Some(saved::save(&chosen)?);
    }
    Ok(any)
}

/// Repeats what children decided.
pub(crate) fn again(all: &[AugmentConfig], draw: &Saved, work: &mut Work<'_>) -> Result<()> {
    for Chosen { index, draw } in saved::load::<Vec<Chosen>>(draw)? {
        let none = || Error::new("PL0345", format!("a draw is for the augmentation {index} of {}", all.len()));
        let child = all.get(index).ok_or_else(none)?;
        settle(all, work)?;
        child.again_on(&draw, work).map_err(|e| e.context(child.plug.name()))?;
    }
    settle(all, work)
}

/// Runs no kernel: draws need none.
#[derive(Debug)]
struct NoKernels;

impl Backend for NoKernels {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

/// The decisions for a row that stays as it is: later children look at what earlier ones leave, so a copy is changed.
pub(crate) fn draw(
    row: &RowView<'_>,
    run: impl FnOnce(&mut Work<'_>, Option<&mut Option<Saved>>) -> Result<bool>,
) -> Result<Option<Saved>> {
    let (mut copy, mut keep) = (row.row.clone(), None);
    run(&mut Work::new(&mut copy, &NoKernels, None), Some(&mut keep))?;
    Ok(keep)
}

/// A list for examples.
pub(crate) fn flips() -> Vec<AugmentConfig> {
    let step = |plug: Box<dyn Tagged>| AugmentConfig { slot: AugmentSlot::default(), plug: Plug::new(plug) };
    vec![step(Box::<HorizontalFlip>::default()), step(Box::<VerticalFlip>::default())]
}

/// Whether all are without chance.
pub(crate) fn fixed(all: &[AugmentConfig]) -> bool {
    !all.iter().any(AugmentConfig::is_random)
}

/// Indices by chance, each as likely as its weight says; without repeats unless `again`.
pub(crate) fn pick(rng: &mut Rng, weights: &[f64], n: usize, again: Repeats) -> Vec<usize> {
    let mut left = weights.to_vec();
    let mut out = Vec::new();
    for _ in 0..n {
        let sum: f64 = left.iter().sum();
        if sum <= 0.0 {
            break;
        }
        let mut at = rng.uniform() * sum;
        let found = left.iter().position(|w| {
            at -= w;
            at < 0.0 && *w > 0.0
        });
        let Some(index) = found.or_else(|| left.iter().rposition(|w| *w > 0.0)) else { break };
        out.push(index);
        if again == Repeats::No {
            left[index] = 0.0;
        }
    }
    out
}

/// Whether one may be picked twice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// It may.
    Yes,
    /// It may not.
    No,
}

/// The repeats that a parameter `replace` allows.
pub(crate) fn repeats(replace: bool) -> Repeats {
    if replace { Repeats::Yes } else { Repeats::No }
}
