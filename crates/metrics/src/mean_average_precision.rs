//! Mean average precision and recall of objects, by the rules of COCO's evaluation.

mod curve;
mod matches;
mod region;

use crate::confusion::{class_keys, mean};
use curve::{Ranked, Scores, surest_first};
use matches::{ClassMatches, Found, Rules, Truth, match_up};
use pleach_core::kinds::metric::Part;
use pleach_core::{Better, DataInfo, Error, Instance, Metric, Named, Result, Row, config, plugin, read};
use region::{Crowd, Region};
use std::collections::BTreeMap;

pub use matches::{ClassMatches as MatchesOfClass, ImageMatches, Matches};

/// Larger than the area of any frame, in square pixels.
const ALL: f64 = 1e10;
/// One bit of a word stands for one threshold.
const MOST_THRESHOLDS: usize = 64;

/// What is laid over each other.
#[config]
pub enum IouType {
    /// Upright boxes.
    Bbox,
    /// Masks.
    Segm,
    /// Boxes that may be turned.
    RotatedBbox,
}

/// How classes come into the mean.
#[config]
pub enum OverClasses {
    /// The mean over the classes of which there is something to find.
    Macro,
    /// All objects and predictions count as one class (COCO's `useCats = 0`).
    Micro,
}

/// Mean average precision and recall of objects, by the rules of COCO's evaluation.
///
/// The predictions of a class in an image take, from the surest down, the object of the class that they overlap most
/// and that is still free, if the overlap (intersection over union) reaches the threshold. Average precision is the
/// mean over 101 recalls r of max precision(recall >= r), with the predictions of all images ranked by their scores;
/// `map` is its mean over classes and thresholds, `mar_n` the mean of the recall that n predictions an image reach.
/// Equals pycocotools to the last rounding.
///
/// What a prediction takes decides what it counts as. An object that is `ignore`, a crowd or of another size makes it
/// neither right nor wrong, and is taken only where nothing else can be; a crowd may be taken by many, and its overlap
/// is the share of the prediction that it covers. A prediction that takes nothing is wrong, unless its own area is
/// outside the range.
///
/// The values have torchmetrics' names: `map`, `map_50`, `map_75`, `map_small`, ..., `mar_1`, `mar_10`, `mar_100`,
/// `mar_small`, ... What cannot be said (no large object in the data) is left out, where pycocotools prints -1.
/// Sizes are areas in square pixels: the instance's own `area`, or else that of its mask or box.
#[plugin(
    metric,
    alias = ["mAP", "MeanAP"],
    cite = ["https://cocodataset.org/#detection-eval", "arXiv:1405.0312"],
    check = Self::check
)]
pub struct MeanAveragePrecision {
    /// What is laid over each other: "bbox" upright boxes, "segm" masks, "rotated_bbox" boxes that may be turned.
    #[plugin(default = IouType::Bbox)]
    pub iou_type: IouType,
    /// Overlaps from which on a prediction is right; by default 0.5 to 0.95 in steps of 0.05.
    #[plugin(range = 0.0..=1.0)]
    pub iou_thresholds: Option<Vec<f64>>,
    /// Recalls at which precision is read off; by default 0 to 1 in steps of 0.01.
    #[plugin(range = 0.0..=1.0)]
    pub rec_thresholds: Option<Vec<f64>>,
    /// How many predictions of a class in an image count at most. `map` and all of its kind go by the largest.
    #[plugin(default = vec![1, 10, 100], range = 1..)]
    pub max_detection_thresholds: Vec<usize>,
    /// Ranges of sizes with values of their own: least and greatest area in square pixels, both inside.
    #[plugin(default = coco_ranges())]
    pub area_ranges: BTreeMap<String, [f64; 2]>,
    /// How classes come into the mean: "macro" one by one, "micro" as if all were one.
    #[plugin(default = OverClasses::Macro)]
    pub average: OverClasses,
    /// Whether each class has values of its own, `map_per_class_<class>` and `mar_<n>_per_class_<class>`.
    #[plugin(default = false)]
    pub class_metrics: bool,
}

fn coco_ranges() -> BTreeMap<String, [f64; 2]> {
    [("small", [0.0, 1024.0]), ("medium", [1024.0, 9216.0]), ("large", [9216.0, ALL])]
        .map(|(name, range)| (name.to_owned(), range))
        .into()
}

impl MeanAveragePrecision {
    fn check(&self, rules: &mut read::Rules) {
        let thresholds = self.thresholds();
        if thresholds.is_empty() || thresholds.len() > MOST_THRESHOLDS {
            rules.refuse("iou_thresholds", format!("there must be 1 to {MOST_THRESHOLDS} of them"));
        }
        if self.rec_thresholds.as_ref().is_some_and(Vec::is_empty) {
            rules.refuse("rec_thresholds", "there must be one at least");
        }
        if self.max_detection_thresholds.is_empty() {
            rules.refuse("max_detection_thresholds", "there must be one at least");
        }
        for (name, [least, greatest]) in &self.area_ranges {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let named = name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_lowercase());
            if !named || name.contains("per_class") {
                rules.refuse("area_ranges", format!("`{name}` is no name in snake case that a value could have"));
            }
            if least > greatest {
                rules.refuse("area_ranges", format!("`{name}` ends before it begins"));
            }
        }
        if self.class_metrics && self.average == OverClasses::Micro {
            rules.refuse("class_metrics", "there are no classes with `average = \"micro\"`");
        }
    }

    fn thresholds(&self) -> Vec<f64> {
        // In the very steps of COCO's own, whose 0.9 is a little less.
        let coco = || (0..9).map(|i| 0.5 + f64::from(i) * ((0.95 - 0.5) / 9.0)).chain([0.95]).collect();
        self.iou_thresholds.clone().unwrap_or_else(coco)
    }

    fn recalls(&self) -> Vec<f64> {
        self.rec_thresholds.clone().unwrap_or_else(|| (0..=100).map(|i| f64::from(i) * 0.01).collect())
    }

    /// Ascending.
    fn limits(&self) -> Vec<usize> {
        let mut limits = self.max_detection_thresholds.clone();
        limits.sort_unstable();
        limits.dedup();
        limits
    }

    fn most(&self) -> usize {
        self.max_detection_thresholds.iter().copied().max().unwrap_or(0)
    }

    /// By size.
    fn ranges(&self) -> Vec<(&str, [f64; 2])> {
        let mut ranges: Vec<_> = self.area_ranges.iter().map(|(name, range)| (name.as_str(), *range)).collect();
        ranges.sort_by(|a, b| a.1[0].total_cmp(&b.1[0]).then(a.1[1].total_cmp(&b.1[1])));
        ranges
    }

    fn rules(&self) -> Rules {
        let ranges = std::iter::once([0.0, ALL]).chain(self.ranges().into_iter().map(|(_, range)| range)).collect();
        Rules { thresholds: self.thresholds(), ranges }
    }

    /// The class under which an instance is counted.
    fn counted(&self, class: u32) -> u32 {
        if self.average == OverClasses::Micro { 0 } else { class }
    }

    fn of_frame(&self, rules: &Rules, frame: u32, predicted: &Row, truth: &Row) -> Result<Vec<ClassMatches>> {
        let mut all: BTreeMap<u32, (Vec<&Instance>, Vec<&Instance>)> = BTreeMap::new();
        for t in truth.instances.iter().filter(|i| i.frame == frame) {
            all.entry(self.counted(t.class)).or_default().0.push(t);
        }
        for p in predicted.instances.iter().filter(|i| i.frame == frame) {
            all.entry(self.counted(p.class)).or_default().1.push(p);
        }
        let of_class = |(class, (mut truths, mut found)): (u32, (Vec<&Instance>, Vec<&Instance>))| {
            // Where all classes are one, they come one after the other all the same.
            truths.sort_by_key(|t| t.class);
            found.sort_by_key(|p| p.class);
            let truths = truths.into_iter().map(|t| self.truth(t, truth)).collect::<Result<Vec<_>>>()?;
            found.sort_by(|a, b| surest_first(a.score.unwrap_or_default(), b.score.unwrap_or_default()));
            found.truncate(self.most());
            let found = found.into_iter().map(|p| self.found(p, predicted)).collect::<Result<Vec<_>>>()?;
            match_up(class, &truths, &found, rules).ok_or_else(|| {
                let key = &truth.id.key;
                Error::new("PL0230", format!("a mask predicted for sample `{key}` has another size than the true one"))
            })
        };
        all.into_iter().map(of_class).collect()
    }

    fn truth(&self, instance: &Instance, row: &Row) -> Result<Truth> {
        let region = Region::of(instance, self.iou_type)
            .map_err(|what| Error::new("PL0330", format!("an object of sample `{}` {what}", row.id.key)))?;
        let area = instance.area.map_or_else(|| region.area(), f64::from);
        let crowd = if instance.crowd { Crowd::Yes } else { Crowd::No };
        Ok(Truth { region, area, crowd, ignore: instance.ignore })
    }

    fn found(&self, instance: &Instance, row: &Row) -> Result<Found> {
        let region = Region::of(instance, self.iou_type)
            .map_err(|what| Error::new("PL0230", format!("an object predicted for sample `{}` {what}", row.id.key)))?;
        let area = instance.area.map_or_else(|| region.area(), f64::from);
        Ok(Found { region, area, score: instance.score.unwrap_or_default() })
    }

    /// The values over all classes.
    fn summary(&self, classes: &[Ranked<'_>], values: &mut Named<f64>) {
        let (thresholds, recalls, limits) = (self.thresholds(), self.recalls(), self.limits());
        let ranges = self.ranges();
        let n = 1 + ranges.len();
        let over = |range: usize, limit: usize| -> Vec<Vec<Scores>> {
            classes.iter().filter_map(|c| c.scores(thresholds.len(), &recalls, [range, n], limit)).collect()
        };
        let whole = over(0, self.most());
        let sized: Vec<_> = (1..n).map(|range| over(range, self.most())).collect();
        let mut put = |name: String, value: Option<f64>| {
            if let Some(value) = value {
                values.insert(name, value);
            }
        };
        put("map".into(), precision(&whole));
        for (name, wanted) in [("map_50", 0.5), ("map_75", 0.75)] {
            let bit = thresholds.iter().position(|t| (t - wanted).abs() < 1e-9);
            put(name.into(), bit.and_then(|b| mean(whole.iter().filter_map(|c| c.get(b)).map(|s| s.precision))));
        }
        for ((name, _), scores) in ranges.iter().zip(&sized) {
            put(format!("map_{name}"), precision(scores));
        }
        for limit in limits {
            put(format!("mar_{limit}"), recall(&over(0, limit)));
        }
        for ((name, _), scores) in ranges.iter().zip(&sized) {
            put(format!("mar_{name}"), recall(scores));
        }
    }
}

fn precision(scores: &[Vec<Scores>]) -> Option<f64> {
    mean(scores.iter().flatten().map(|s| s.precision))
}

fn recall(scores: &[Vec<Scores>]) -> Option<f64> {
    mean(scores.iter().flatten().map(|s| s.recall))
}

/// Refuses a class that the data do not have; data without classes have any.
fn known(row: &Row, classes: usize, code: &'static str, what: &str) -> Result<()> {
    let key = &row.id.key;
    match row.instances.iter().find(|i| classes > 0 && i.class as usize >= classes) {
        Some(i) => Err(Error::new(
            code,
            format!("{what} of sample `{key}` is of class {}, but there are {classes} classes", i.class),
        )),
        None => Ok(()),
    }
}

impl Metric for MeanAveragePrecision {
    type State = Matches;

    fn start(&self, data: &DataInfo) -> Matches {
        Matches::new(class_keys(&data.classes))
    }

    fn update(&self, state: &mut Matches, predicted: &Row, truth: &Row) -> Result<()> {
        known(truth, state.keys.len(), "PL0330", "an object")?;
        known(predicted, state.keys.len(), "PL0230", "a predicted object")?;
        let key = &truth.id.key;
        if predicted.instances.iter().any(|i| !i.score.is_some_and(f32::is_finite)) {
            return Err(Error::new("PL0230", format!("an object predicted for sample `{key}` has no score"))
                .hint("objects are ranked by their scores; where all are alike, give each 1"));
        }
        let mut frames: Vec<u32> = truth.instances.iter().chain(&predicted.instances).map(|i| i.frame).collect();
        frames.sort_unstable();
        frames.dedup();
        let rules = self.rules();
        let of_frame = |&frame: &u32| Ok((frame, self.of_frame(&rules, frame, predicted, truth)?));
        for (frame, classes) in frames.iter().map(of_frame).collect::<Result<Vec<_>>>()? {
            state.add(&truth.id, frame, classes);
        }
        Ok(())
    }

    fn merge(&self, state: &mut Matches, other: Matches) {
        state.merge(other);
    }

    fn values(&self, state: &Matches) -> Named<f64> {
        let (classes, ranked): (Vec<u32>, Vec<Ranked<'_>>) = Ranked::by_class(state).into_iter().unzip();
        let mut values = Named::new();
        self.summary(&ranked, &mut values);
        if self.class_metrics {
            let (thresholds, recalls, most) = (self.thresholds().len(), self.recalls(), self.most());
            for (class, ranked) in classes.iter().zip(&ranked) {
                let Some(scores) = ranked.scores(thresholds, &recalls, [0, 1 + self.area_ranges.len()], most) else {
                    continue;
                };
                let number = class.to_string();
                let key = state.keys.get(*class as usize).unwrap_or(&number);
                let scores = [scores];
                let both = [("map".to_owned(), precision(&scores)), (format!("mar_{most}"), recall(&scores))];
                for (name, value) in both {
                    values.insert(format!("{name}_per_class_{key}"), value.unwrap_or_default());
                }
            }
        }
        values
    }

    fn names(&self, data: &DataInfo) -> Vec<String> {
        let sizes: Vec<&str> = self.ranges().into_iter().map(|(name, _)| name).collect();
        let mut names: Vec<String> = ["map", "map_50", "map_75"].map(String::from).to_vec();
        names.extend(sizes.iter().map(|name| format!("map_{name}")));
        names.extend(self.limits().iter().map(|limit| format!("mar_{limit}")));
        names.extend(sizes.iter().map(|name| format!("mar_{name}")));
        if self.class_metrics {
            for key in class_keys(&data.classes) {
                names.push(format!("map_per_class_{key}"));
                names.push(format!("mar_{}_per_class_{key}", self.most()));
            }
        }
        names
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn reads(&self) -> Part {
        Part::Instances
    }
}
