//! Each law catches a plugin that breaks it, and lets sound plugins pass.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::backend::FusedInput;
use pleach_core::kinds::metric::Part;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::*;
use pleach_testkit::laws;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

static HIDDEN: AtomicU64 = AtomicU64::new(0);

fn hidden() -> u64 {
    HIDDEN.fetch_add(1, Ordering::Relaxed)
}

/// Halves the rate every third tick, and does not save how many there were.
#[plugin(scheduler)]
struct Forgetful {
    /// What the rate is multiplied by.
    #[plugin(default = 0.5, range = 0.0..=1.0)]
    gamma: f64,
}

#[state]
struct Count {
    #[serde(skip)]
    ticks: u64,
}

impl Scheduler for Forgetful {
    type State = Count;
    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<Count> {
        Ok(Count { ticks: 0 })
    }
    fn rate(&self, state: &mut Count, _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        state.ticks += 1;
        if state.ticks.is_multiple_of(3) {
            now.iter_mut().for_each(|g| g.lr *= self.gamma);
        }
        Ok(())
    }
}

/// Lowers the rate by a fixed amount for ever.
#[plugin(scheduler)]
struct Diving {
    /// How much is taken away at each tick.
    #[plugin(default = 0.01)]
    amount: f64,
}

impl Scheduler for Diving {
    type State = ();
    fn start(&self, _: &Plan, _: &mut [GroupRates]) -> Result<()> {
        Ok(())
    }
    fn rate(&self, (): &mut (), _: &Tick, now: &mut [GroupRates]) -> Result<()> {
        now.iter_mut().for_each(|g| g.lr -= self.amount);
        Ok(())
    }
}

/// Gives every group a momentum, whether its optimizer has one or not.
#[plugin(scheduler)]
struct Pushy {}

impl Scheduler for Pushy {
    type State = ();
    fn start(&self, _: &Plan, now: &mut [GroupRates]) -> Result<()> {
        now.iter_mut().for_each(|g| g.momentum = Some(0.9));
        Ok(())
    }
    fn rate(&self, (): &mut (), _: &Tick, _: &mut [GroupRates]) -> Result<()> {
        Ok(())
    }
}

/// Takes longer steps the more often it was called.
#[plugin(optimizer)]
struct Secretive {}

impl Optimizer for Secretive {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, g: &Tensor, _: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (g * (hyper.lr * (1.0 + 1e-3 * hidden() as f64)))?)?)
    }
}

/// Divides by the gradient, and forgets the case of 0.
#[plugin(optimizer)]
struct Quotient {}

impl Optimizer for Quotient {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, g: &Tensor, _: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - ((g * hyper.lr)? / g.abs()?)?)?)
    }
}

/// Takes the mean of a column from each gradient, and forgets that there are numbers without columns.
#[plugin(optimizer)]
struct Tabular {}

impl Optimizer for Tabular {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, g: &Tensor, _: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (g.broadcast_sub(&(g.mean_keepdim(0)? * 0.5)?)? * hyper.lr)?)?)
    }
}

/// Takes a step as long as the first gradients of all parameters were, and asks for them at the first step alone.
#[plugin(optimizer)]
struct Punctual {}

impl Optimizer for Punctual {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, _: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (slots.zeros("first", p)? * hyper.lr)?)?)
    }
    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _: Option<&mut Again<'_>>) -> Result<()> {
        let t = memory.0.entry(group.key.to_owned()).or_default().count("step");
        for (name, weight, grad) in &group.params {
            let slots = memory.0.entry((*name).to_owned()).or_default();
            if t == 1.0 {
                slots.keep("first", grad.clone());
            }
            weight.set(&self.update(&weight.var().as_detached_tensor(), grad, slots, &group.hyper)?)?;
        }
        Ok(())
    }
}

/// Takes shorter steps the more it has taken, and counts those of all groups together.
#[plugin(optimizer)]
struct Nosy {}

impl Optimizer for Nosy {
    fn lr(&self) -> f64 {
        0.1
    }
    fn update(&self, p: &Tensor, g: &Tensor, slots: &mut ParamSlots, hyper: &Hyper) -> Result<Tensor> {
        Ok((p - (g * (hyper.lr / slots.count("step")))?)?)
    }
    fn step(&self, group: &StepGroup<'_>, memory: &mut Memory, _: Option<&mut Again<'_>>) -> Result<()> {
        for (_, weight, grad) in &group.params {
            let slots = memory.0.entry("all".to_owned()).or_default();
            weight.set(&self.update(&weight.var().as_detached_tensor(), grad, slots, &group.hyper)?)?;
        }
        Ok(())
    }
}

/// Refuses a batch without a sample.
fn some(elements: usize) -> Result<()> {
    if elements == 0 { Err(Error::new("PL0327", "there is no sample")) } else { Ok(()) }
}

/// What the losses here begin with.
fn residual(x: &LossInput<'_>) -> Result<Tensor> {
    some(x.prediction.elem_count())?;
    let target = x.target(Target::Values)?;
    Ok((x.prediction - target)?)
}

const VALUES: Wants = Wants { form: Form::Values, target: Target::Values };

/// Mean of squares, with a fused form of twice the value.
#[plugin(loss)]
struct Doubled {}

impl Loss for Doubled {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        Ok(residual(x)?.sqr()?.mean_all()?)
    }
    fn fused(&self) -> Option<FusedLoss> {
        let body = |x: &mut FusedInput<'_>| {
            some(x.prediction.len())?;
            let (mut sum, n) = (0.0, x.prediction.len() as f32);
            for ((g, p), t) in x.gradient.iter_mut().zip(x.prediction).zip(x.target) {
                *g = 2.0 * (p - t) / n;
                sum += f64::from((p - t) * (p - t));
            }
            Ok(2.0 * sum / f64::from(n))
        };
        Some(FusedLoss { name: "doubled", cpu: Arc::new(body) })
    }
}

/// Mean of squares whose graph is cut half way.
#[plugin(loss)]
struct Severed {}

impl Loss for Severed {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let r = residual(x)?;
        Ok((&r * r.detach())?.mean_all()?)
    }
}

/// Mean of squares that broadcasts whatever it is given.
#[plugin(loss)]
struct Sloppy {}

impl Loss for Sloppy {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        some(x.prediction.elem_count())?;
        Ok(x.prediction.broadcast_sub(x.target(Target::Values)?)?.sqr()?.mean_all()?)
    }
}

/// Binary cross-entropy by its textbook formula.
#[plugin(loss)]
struct Textbook {}

impl Loss for Textbook {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: Target::Mask }
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        some(x.prediction.elem_count())?;
        let t = x.target(Target::Mask)?;
        let p = ((x.prediction.neg()?.exp()? + 1.0)?).recip()?;
        let ones = (t * p.log()?)?;
        let zeros = ((1.0 - t)? * (1.0 - p)?.log()?)?;
        Ok((ones + zeros)?.mean_all()?.neg()?)
    }
}

/// Sum of squares, which is 0 over nothing.
#[plugin(loss)]
struct Hollow {}

impl Loss for Hollow {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        Ok((x.prediction - x.target(Target::Values)?)?.sqr()?.sum_all()?)
    }
}

/// Finds fault with every shape.
#[plugin(loss)]
struct Choosy {}

impl Loss for Choosy {
    fn wants(&self) -> Wants {
        VALUES
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        Err(Error::new("PL0328", format!("a prediction of shape {:?} is too small", x.prediction.dims())))
    }
}

/// Cross-entropy of the targets that count, which it believes to be some.
#[plugin(loss)]
struct Credulous {}

impl Loss for Credulous {
    fn wants(&self) -> Wants {
        Wants { form: Form::LogProbabilities, target: Target::Class }
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        some(x.prediction.elem_count())?;
        let classes = x.target(Target::Class)?.unsqueeze(1)?;
        let counts = classes.ne(kinds::loss::IGNORED)?;
        let of_class = x.prediction.gather(&(&classes * counts.to_dtype(DType::U32)?)?, 1)?;
        let counts = counts.to_dtype(of_class.dtype())?;
        Ok(((of_class * &counts)?.sum_all()?.neg()? / counts.sum_all()?)?)
    }
}

fn chance(rng: &mut Rng) -> Option<u32> {
    rng.chance(0.7).then(|| rng.next_u32())
}

fn shift(image: &mut Image, by: u8) {
    if let Pixels::U8(all) = &mut image.pixels {
        all.iter_mut().for_each(|x| *x = x.wrapping_add(by));
    }
}

/// Drops masks and leaves the boxes.
#[plugin(augmentation)]
struct Halving {}

impl Augmentation for Halving {
    type Draw = u32;
    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<u32>> {
        Ok(chance(rng))
    }
    fn edit(&self, draw: &u32, row: &mut Row) -> Result<()> {
        if let Some(i) = row.instances.get_mut(*draw as usize % 4) {
            i.mask = None;
        }
        Ok(())
    }
}

/// Brightens by an amount that it draws anew each time.
#[plugin(augmentation)]
struct Restless {}

impl Augmentation for Restless {
    type Draw = u32;
    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<u32>> {
        Ok(chance(rng))
    }
    fn touches(&self) -> bool {
        true
    }
    fn touch(&self, _: &u32, image: &mut Image) -> Result<()> {
        shift(image, (hidden() % 100) as u8);
        Ok(())
    }
}

/// Brightens by a drawn amount, and by another in its kernel.
#[plugin(augmentation)]
struct Parted {}

impl Augmentation for Parted {
    type Draw = u32;
    fn draw(&self, rng: &mut Rng, _: &RowView<'_>) -> Result<Option<u32>> {
        Ok(chance(rng))
    }
    fn touches(&self) -> bool {
        true
    }
    fn touch(&self, draw: &u32, image: &mut Image) -> Result<()> {
        shift(image, (draw % 50) as u8);
        Ok(())
    }
    fn fused(&self, draw: &u32) -> Option<FusedTouch> {
        let by = (draw % 50) as u8 + 5;
        let body = move |image: &Image| {
            let mut image = image.clone();
            shift(&mut image, by);
            Ok(image)
        };
        Some(FusedTouch { name: "parted", cpu: Arc::new(body) })
    }
}

/// The share of right labels, merged as the mean of shares.
#[plugin(metric)]
struct MeanOfMeans {}

#[state]
struct Share {
    right: f64,
    seen: f64,
}

impl Metric for MeanOfMeans {
    type State = Share;
    fn start(&self, _: &DataInfo) -> Share {
        Share { right: 0.0, seen: 0.0 }
    }
    fn update(&self, state: &mut Share, predicted: &Row, truth: &Row) -> Result<()> {
        state.right += f64::from(u8::from(predicted.labels.class == truth.labels.class));
        state.seen += 1.0;
        Ok(())
    }
    fn merge(&self, state: &mut Share, other: Share) {
        state.right = (state.right / state.seen + other.right / other.seen) / 2.0;
        state.seen = 1.0;
    }
    fn values(&self, state: &Share) -> Named<f64> {
        Named::one("share", state.right / state.seen)
    }
    fn better(&self) -> Better {
        Better::Higher
    }
    fn reads(&self) -> Part {
        Part::Labels
    }
}

/// Wants a checkpoint back that it let go.
#[plugin(keeper)]
struct Regretful {}

impl Keeper for Regretful {
    type State = Vec<u64>;
    fn start(&self) -> Vec<u64> {
        Vec::new()
    }
    fn hold(&self, seen: &mut Vec<u64>, candidate: &Candidate, _: &RunInfo) -> Action {
        seen.push(candidate.step);
        seen.iter().copied().filter(|_| seen.len().is_multiple_of(2)).collect()
    }
}

/// Stops after three epochs and does not remember how many there were.
#[plugin(observer)]
struct Amnesiac {}

struct Epochs(u32);

impl Watcher for Epochs {
    fn on(&mut self, event: &Event<'_>, control: &mut Control<'_>) -> Result<()> {
        if let Event::Epoch { .. } = event {
            self.0 += 1;
            if self.0 == 3 {
                control.stop = Some("three epochs are enough".into());
            }
        }
        Ok(())
    }
}

impl Observer for Amnesiac {
    fn start(&self, _: &RunInfo) -> Result<Box<dyn Watcher>> {
        Ok(Box::new(Epochs(0)))
    }
}

/// Plugins of a kind that only this program has, one sound and the others not.
mod gadget {
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
    #[plugin(crate::gadget, alias = ["Harmless"])]
    Sound {
        /// Metres from here to there.
        #[plugin(example = 0.5, range = 0.0..=1.0)]
        reach: f64,
        /// Whatever else is to be said.
        #[plugin(default = None)]
        words: Option<Vec<String>>
    }

    /// Does nothing under a name that another has.
    #[plugin(crate::gadget, alias = ["Harmless"])]
    Usurper {}

    /// Does nothing without a word.
    #[plugin(crate::gadget)]
    Silent {
        /// Gain
        #[plugin(default = 1)]
        gain: u32
    }

    /// Has two keys that one letter tells apart.
    #[plugin(crate::gadget)]
    Twins {
        /// How many bats there are.
        #[plugin(default = 1)]
        bats: u32,
        /// Which bat it is.
        #[plugin(default = 1)]
        bat: u32
    }

    /// Has a default that it does not take.
    #[plugin(crate::gadget)]
    Boundless {
        /// A share of the whole.
        #[plugin(default = 2.0, range = 0.0..=1.0)]
        share: f64
    }

    /// Loses a parameter on its way through a checkpoint.
    #[plugin(crate::gadget)]
    Lossy {
        /// Something worth keeping.
        #[plugin(default = 3)]
        #[serde(skip)]
        kept: u32
    }
}

fn found(broken: &[laws::Broken]) -> BTreeSet<(String, &'static str)> {
    broken.iter().map(|b| (b.plugin.rsplit('/').next().unwrap_or_default().to_owned(), b.law.name)).collect()
}

fn has(found: &BTreeSet<(String, &'static str)>, plugin: &str, words: &str) {
    assert!(
        found.iter().any(|(p, law)| p == plugin && law.contains(words)),
        "{plugin} is not caught by the law of `{words}`; found: {found:#?}"
    );
}

#[test]
fn each_law_catches_a_plugin_that_breaks_it_and_no_other() {
    let broken = laws::all(Some("pleach_testkit"));
    let of_kinds: Vec<_> = broken.iter().filter(|b| !b.plugin.starts_with("gadget")).cloned().collect();
    let all = found(&of_kinds);
    for (plugin, words) in [
        ("Forgetful", "saved at any tick"),
        ("Diving", "rates are finite"),
        ("Pushy", "a group without momentum"),
        ("Secretive", "slots are saved"),
        ("Quotient", "keep weights finite"),
        ("Tabular", "without a dimension"),
        ("Punctual", "begin at a later step"),
        ("Nosy", "share one memory"),
        ("Doubled", "fused form"),
        ("Severed", "gradient of a loss"),
        ("Sloppy", "missing target"),
        ("Textbook", "finite on empty"),
        ("Credulous", "ignored targets"),
        ("Hollow", "without a sample"),
        ("Choosy", "gradient of a loss"),
        ("Halving", "stays whole"),
        ("Restless", "a draw is data"),
        ("Parted", "kernel of a touch"),
        ("MeanOfMeans", "parts, merged in any order"),
        ("Regretful", "held before"),
        ("Amnesiac", "observer saved"),
    ] {
        has(&all, plugin, words);
    }
    // A touch that changes each time differs between seats too, and hidden steps between groups; a graph that is cut
    // shows wherever one looks, and so do a rate that falls below 0 and a loss that believes in targets.
    let many = ["Restless", "Secretive", "Severed", "Diving", "Credulous"];
    let expected = |(plugin, _): &&(String, &str)| !many.contains(&plugin.as_str());
    assert_eq!(all.iter().filter(expected).count(), 16, "{all:#?}");
    for b in &broken {
        let text = b.to_string();
        assert!(text.contains("why it matters: ") && text.contains("write: ") && !b.found.is_empty(), "{text}");
    }
}

#[test]
fn plugins_of_any_kind_obey_the_laws_of_every_plugin() {
    let broken = laws::of_kind::<dyn gadget::Gadget>(None);
    let all = found(&broken);
    for (plugin, words) in [
        ("Usurper", "one plugin of its kind"),
        ("Sound", "one plugin of its kind"),
        ("Silent", "says what it does"),
        ("Twins", "a typo"),
        ("Boundless", "written out and read"),
        ("Lossy", "comes back equal"),
    ] {
        has(&all, plugin, words);
    }
    assert_eq!(all.len(), 6, "{all:#?}");
}

#[test]
fn a_crate_that_is_not_linked_is_an_error_and_not_a_success() {
    let panic = std::panic::catch_unwind(|| laws::assert_all(Some("pleach_nowhere"))).unwrap_err();
    let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(text.contains("use pleach_nowhere as _;"), "{text}");
}
