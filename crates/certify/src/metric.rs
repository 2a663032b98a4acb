//! The replay of a metric: its values over samples, taken at once, and in two parts that are merged.

use crate::deviation::{Deviation, Tolerance};
use crate::keys::{self, Keys};
use crate::read::plugin;
use crate::row;
use pleach_core::kinds::metric::MetricConfig;
use pleach_core::{DataInfo, Error, Named, Result, Row};
use serde_json::Value as Json;
use std::any::Any;

/// A case, read.
pub(crate) struct Measure {
    pub config: MetricConfig,
    data: DataInfo,
    samples: Vec<(Row, Row)>,
    /// What the reference measures; none where it has no value.
    values: Vec<(String, Option<f64>)>,
}

impl Measure {
    pub fn read(name: &str, kwargs: Json, mut keys: Keys) -> Result<Self> {
        let data = data(keys.want("data")?)?;
        let samples = keys.list("samples")?.into_iter().enumerate();
        let samples = samples.map(|(at, sample)| row::pair(at, sample)).collect::<Result<_>>()?;
        let Json::Object(values) = keys.want("values")? else { return Err(keys::wrong("values", "an object")) };
        keys.end()?;
        let value = |(name, json): (String, Json)| {
            let number = if json.is_null() { None } else { Some(keys::number(&name, &json)?) };
            Ok((name, number))
        };
        let values = values.into_iter().map(value).collect::<Result<_>>()?;
        Ok(Self { config: plugin(name, kwargs)?, data, samples, values })
    }

    pub fn run(&self) -> Result<Deviation> {
        let mut deviation = Deviation::none(Tolerance::Metric);
        self.compare(&*self.over(&self.samples)?, &mut deviation)?;
        let (first, rest) = self.samples.split_at(self.samples.len() / 2);
        let mut merged = self.over(first)?;
        self.config.merge(&mut *merged, self.over(rest)?);
        self.compare(&*merged, &mut deviation)?;
        Ok(deviation)
    }

    fn over(&self, samples: &[(Row, Row)]) -> Result<Box<dyn Any + Send>> {
        let mut state = self.config.start(&self.data);
        for (predicted, truth) in samples {
            self.config.update(&mut *state, predicted, truth)?;
        }
        Ok(state)
    }

    fn compare(&self, state: &dyn Any, deviation: &mut Deviation) -> Result<()> {
        let ours: Named<f64> = self.config.values(state);
        for (name, value) in &self.values {
            match value {
                Some(value) => deviation.see(*ours.want(name)?, *value, 0.0),
                None => absent(deviation, ours.get(name).map(|v| (name.as_str(), *v)))?,
            }
        }
        // A reference without any value: where it is undefined, so is ours.
        if self.values.is_empty() {
            absent(deviation, ours.iter().next().map(|(name, v)| (name, *v)))?;
        }
        Ok(())
    }
}

fn absent(deviation: &mut Deviation, ours: Option<(&str, f64)>) -> Result<()> {
    deviation.numbers += 1;
    match ours {
        Some((name, value)) if !value.is_nan() => {
            Err(Error::new("PL0364", format!("`{name}` is {value}, and the reference has no value")))
        }
        _ => Ok(()),
    }
}

fn data(json: Json) -> Result<DataInfo> {
    let mut keys = Keys::new("`data`", json)?;
    let classes = match keys.maybe("classes") {
        None => Vec::new(),
        Some(Json::Number(n)) => {
            let n: u16 = keys::whole("data.classes", &Json::Number(n))?;
            (0..n).map(|class| class.to_string()).collect()
        }
        Some(json) => serde_json::from_value(json)
            .map_err(|_| keys::wrong("data.classes", "a list of names, or the number of classes"))?,
    };
    let size = match keys.maybe("size") {
        None => None,
        Some(json) => match keys::shape("data.size", &json)?.as_slice() {
            [height, width] => Some((*height, *width)),
            _ => return Err(keys::wrong("data.size", "a list of height and width")),
        },
    };
    let data = DataInfo {
        classes,
        channels: keys.maybe_whole("channels")?.unwrap_or(3),
        frames: keys.maybe_whole("frames")?.unwrap_or(1),
        size,
        ignore_index: keys.maybe_whole("ignore_index")?,
    };
    keys.end()?;
    Ok(data)
}
