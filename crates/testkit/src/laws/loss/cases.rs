//! What losses are checked on: predictions and targets of random shapes of every rank, and the extremes.

use crate::fault::Check;
use pleach_core::kinds::loss::IGNORED;
use pleach_core::{DType, Device, Form, Named, Purpose, Rng, Target, Tensor, Wants};

/// A prediction with its targets.
pub(super) struct Case {
    pub what: String,
    pub prediction: Tensor,
    pub targets: Named<Tensor>,
    /// Whether differences can be taken there.
    pub smooth: bool,
}

/// What is true.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Truth {
    Random,
    /// All 0, the first class, or pairs that do not belong together.
    Low,
    /// All 1, the last class, or pairs that belong together.
    High,
    /// Every other target counts nowhere.
    HalfIgnored,
    /// No target counts.
    Ignored,
}

impl Truth {
    fn words(self) -> &'static str {
        match self {
            Self::Random => "random targets",
            Self::Low => "targets all 0 (the first class, pairs apart)",
            Self::High => "targets all 1 (the last class, pairs together)",
            Self::HalfIgnored => "targets of which every other is ignored",
            Self::Ignored => "targets that are all ignored",
        }
    }
}

/// What is predicted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guess {
    Noise,
    /// What is true, with logits of 100; embeddings that are all alike.
    Right,
    /// The opposite, with logits of 100; embeddings that point away from each other.
    Wrong,
    /// Logits of 100 and -100 at random.
    Extreme,
    /// Logits, values, or embeddings of 0.
    Zeros,
}

impl Guess {
    fn words(self) -> &'static str {
        match self {
            Self::Noise => "random predictions",
            Self::Right => "saturated right predictions",
            Self::Wrong => "saturated wrong predictions",
            Self::Extreme => "predictions of logits 100 and -100",
            Self::Zeros => "predictions of logits 0",
        }
    }
}

/// Shapes that a loss of this kind may meet: small ones of every rank, sizes of 1, a single channel, and one
/// image that is as large as the window of a filter.
fn shapes(wants: Wants, rng: &mut Rng) -> Vec<Vec<usize>> {
    let mut size = |from: u64, to: u64| (from + rng.below(to - from + 1)) as usize;
    match (wants.form, wants.target) {
        (Form::Embeddings, Target::Pair) => {
            vec![vec![size(2, 5), 2, size(2, 6)], vec![size(2, 5), 2, size(2, 6)], vec![1, 2, 3], vec![3, 2, 1]]
        }
        (Form::Embeddings, Target::Nothing) => vec![
            vec![size(2, 5), 3, size(2, 6)],
            vec![size(2, 5), 3, size(2, 6)],
            vec![1, 3, 4],
            vec![2, 3, 1],
            vec![size(2, 5), 2, size(2, 6)],
        ],
        (Form::Embeddings, Target::Class) => vec![vec![size(3, 6), size(2, 6)], vec![1, 3], vec![4, 1]],
        (_, Target::Class) => vec![
            vec![size(3, 5), size(2, 5)],
            vec![1, 2],
            vec![size(1, 3), size(2, 4), size(2, 5)],
            vec![2, size(2, 4), size(2, 4), size(2, 4)],
            vec![size(1, 3), size(2, 4), 1, 1],
            vec![2, 1, 2, 3],
            vec![1, size(2, 3), 2, size(1, 3), size(1, 3)],
        ],
        _ => vec![
            vec![size(2, 6)],
            vec![size(2, 4), size(1, 4)],
            vec![size(1, 3), size(1, 3), size(2, 5)],
            vec![2, size(2, 3), size(2, 4), size(1, 4)],
            vec![size(2, 3), 1, size(2, 4), size(2, 4)],
            vec![1, 1, 1, 1],
            vec![1, size(1, 2), 2, size(1, 3), size(1, 3)],
            vec![1, 2, 11, 13],
        ],
    }
}

/// Predictions with targets.
pub(super) fn cases(wants: Wants, dtype: DType) -> Check<Vec<Case>> {
    let mut rng = Rng::named(1, Purpose::Other, "losses");
    let mut all = Vec::new();
    let truths: &[Truth] = match wants.target {
        Target::Class => &[Truth::Random, Truth::Low, Truth::High, Truth::HalfIgnored, Truth::Ignored],
        Target::Nothing => &[Truth::Random],
        _ => &[Truth::Random, Truth::Low, Truth::High],
    };
    for shape in shapes(wants, &mut rng) {
        for &truth in truths {
            for guess in [Guess::Noise, Guess::Right, Guess::Wrong, Guess::Extreme, Guess::Zeros] {
                all.push(Draft { wants, shape: &shape, truth, guess }.case(dtype, &mut rng)?);
            }
        }
    }
    Ok(all)
}

/// Predictions of no sample, with their targets.
pub(super) fn empty(wants: Wants, dtype: DType) -> Check<Vec<Case>> {
    let mut rng = Rng::named(1, Purpose::Other, "losses");
    let shapes = shapes(wants, &mut rng);
    let case = |shape: Vec<usize>| {
        let shape = [&[0], shape.get(1..).unwrap_or_default()].concat();
        Draft { wants, shape: &shape, truth: Truth::Random, guess: Guess::Noise }.case(dtype, &mut rng)
    };
    shapes.into_iter().map(case).collect()
}

/// A case to be made.
struct Draft<'a> {
    wants: Wants,
    shape: &'a [usize],
    truth: Truth,
    guess: Guess,
}

impl Draft<'_> {
    fn case(&self, dtype: DType, rng: &mut Rng) -> Check<Case> {
        let truths = self.truths(rng);
        let predicted = self.predicted(&truths, rng);
        let tensor = |x, shape: &[usize], dtype| Tensor::from_vec(x, shape, &Device::Cpu)?.to_dtype(dtype);
        let mut targets = Named::new();
        if self.wants.target != Target::Nothing {
            let dtype = if self.wants.target == Target::Class { DType::U32 } else { dtype };
            targets.insert(self.wants.target.key(), tensor(truths, &self.shape_of_target(), dtype)?);
        }
        Ok(Case {
            what: format!("{} and {} for shape {:?}", self.guess.words(), self.truth.words(), self.shape),
            prediction: tensor(predicted, self.shape, dtype)?,
            targets,
            smooth: self.guess == Guess::Noise,
        })
    }

    /// The dimension of classes.
    fn axis(&self) -> usize {
        1.min(self.shape.len().saturating_sub(1))
    }

    /// The number of classes, and of elements behind each other that have the same class.
    fn classes(&self) -> (usize, usize) {
        let classes = match self.wants.form {
            // Labels of embeddings say which belong together.
            Form::Embeddings => 3,
            _ => self.shape.get(self.axis()).copied().unwrap_or(1),
        };
        (classes, self.shape.iter().skip(self.axis() + 1).product())
    }

    fn shape_of_target(&self) -> Vec<usize> {
        match self.wants.target {
            Target::Class => [&self.shape[..self.axis()], &self.shape[self.axis() + 1..]].concat(),
            Target::Pair => self.shape[..1].to_vec(),
            Target::Nothing => Vec::new(),
            Target::Mask | Target::Values => self.shape.to_vec(),
        }
    }

    fn truths(&self, rng: &mut Rng) -> Vec<f64> {
        let n = self.shape_of_target().iter().product();
        let (target, classes) = (self.wants.target, self.classes().0);
        let low = if target == Target::Pair { -1.0 } else { 0.0 };
        let high = if target == Target::Class { classes as f64 - 1.0 } else { 1.0 };
        let mut one = |i: usize| match (self.truth, target) {
            (Truth::Low, _) => low,
            (Truth::High, _) => high,
            (Truth::Ignored, _) => f64::from(IGNORED),
            (Truth::HalfIgnored, _) if i % 2 == 1 => f64::from(IGNORED),
            (_, Target::Class) => rng.below(classes as u64) as f64,
            (_, Target::Values) => rng.normal(),
            _ => {
                if rng.chance(0.5) {
                    high
                } else {
                    low
                }
            }
        };
        let mut truths: Vec<f64> = (0..n).map(&mut one).collect();
        let distributions = matches!(self.wants.form, Form::Probabilities | Form::LogProbabilities);
        if target == Target::Values && distributions && self.truth == Truth::Random {
            self.softmax(&mut truths);
        }
        truths
    }

    fn predicted(&self, truths: &[f64], rng: &mut Rng) -> Vec<f64> {
        let n = self.shape.iter().product();
        let (classes, inner) = self.classes();
        // 1 for the true class, or the target itself.
        let right = |i: usize| match self.wants.target {
            Target::Class => {
                let target = truths.get(i / (inner * classes) * inner + i % inner);
                f64::from(target.copied() == Some((i / inner % classes) as f64))
            }
            _ => truths.get(i).copied().unwrap_or_default(),
        };
        let features = self.shape.last().copied().unwrap_or(1);
        let mut one = |i: usize| match (self.guess, self.wants.form) {
            (Guess::Noise, _) => rng.normal(),
            (Guess::Extreme, _) => 100.0 * if rng.chance(0.5) { 1.0 } else { -1.0 },
            (Guess::Zeros, _) => 0.0,
            (Guess::Right, Form::Values) => right(i),
            (Guess::Wrong, Form::Values) => right(i) + 1e3,
            (Guess::Right, Form::Embeddings) => (i % features) as f64 + 1.0,
            (Guess::Wrong, Form::Embeddings) => ((i % features) as f64 + 1.0) * [1.0, -1.0][i / features % 2],
            (Guess::Right, _) => 100.0 * (2.0 * right(i) - 1.0),
            (Guess::Wrong, _) => -100.0 * (2.0 * right(i) - 1.0),
        };
        let mut predicted: Vec<f64> = (0..n).map(&mut one).collect();
        match self.wants.form {
            Form::Logits | Form::Values | Form::Embeddings => {}
            Form::LogProbabilities => self.log_softmax(&mut predicted),
            Form::Probabilities => {
                // Logits of 10000 make what is exactly 0 and 1.
                let sharp = if self.guess == Guess::Noise { 1.0 } else { 100.0 };
                predicted.iter_mut().for_each(|x| *x *= sharp);
                match self.wants.target {
                    Target::Class => self.softmax(&mut predicted),
                    _ => predicted.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp())),
                }
            }
        }
        predicted
    }

    fn softmax(&self, x: &mut [f64]) {
        self.log_softmax(x);
        x.iter_mut().for_each(|x| *x = x.exp());
    }

    fn log_softmax(&self, x: &mut [f64]) {
        let classes = self.shape.get(self.axis()).copied().unwrap_or(1);
        let inner: usize = self.shape.iter().skip(self.axis() + 1).product();
        for block in x.chunks_mut((classes * inner).max(1)) {
            for i in 0..inner {
                let line = || block.iter().skip(i).step_by(inner);
                let top = line().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
                let log_sum = top + line().map(|x| (x - top).exp()).sum::<f64>().ln();
                block.iter_mut().skip(i).step_by(inner).for_each(|x| *x -= log_sum);
            }
        }
    }
}
