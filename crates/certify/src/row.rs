//! Rows of a golden file: the parts of a row by their names, those that are absent left empty.

use crate::keys::{self, Keys, wrong};
use pleach_core::image::{Image, Pixels};
use pleach_core::{Error, Frame, Instance, Labels, Map, Result, Row, SampleId};
use serde_json::{Map as Object, Value as Json};

/// The predicted and the true row of a sample.
pub(crate) fn pair(index: usize, sample: Json) -> Result<(Row, Row)> {
    let what = format!("sample {index}");
    let doing = |e: Error| e.context(format!("reading {what}"));
    let mut keys = Keys::new(&what, sample).map_err(doing)?;
    let (predicted, truth) = (keys.want("predicted").map_err(doing)?, keys.want("truth").map_err(doing)?);
    keys.end().map_err(doing)?;
    Ok((row("`predicted`", index, predicted).map_err(doing)?, row("`truth`", index, truth).map_err(doing)?))
}

fn row(what: &str, index: usize, json: Json) -> Result<Row> {
    let mut keys = Keys::new(what, json)?;
    let frames = parts(&mut keys, "frames")?.into_iter().enumerate();
    let frames = frames.map(|(at, json)| frame(at, json)).collect::<Result<_>>()?;
    let mut row = Row::new(SampleId { index: index as u64, key: format!("{index}").into() }, frames);
    row.maps = parts(&mut keys, "maps")?.into_iter().map(map).collect::<Result<_>>()?;
    row.instances = parts(&mut keys, "instances")?.into_iter().map(instance).collect::<Result<_>>()?;
    if let Some(json) = keys.maybe("labels") {
        row.labels = labels(json)?;
    }
    row.values = single(keys.maybe_numbers("values")?);
    if keys.has("video") {
        row.video = Some(keys.text("video")?.into());
    }
    keys.end()?;
    Ok(row)
}

fn parts(keys: &mut Keys, key: &'static str) -> Result<Vec<Json>> {
    keys.maybe(key).map_or(Ok(Vec::new()), |json| keys::list(key, json))
}

fn single(numbers: Option<Vec<f64>>) -> Vec<f32> {
    numbers.unwrap_or_default().into_iter().map(|x| x as f32).collect()
}

fn labels(json: Json) -> Result<Labels> {
    let mut keys = Keys::new("`labels`", json)?;
    let labels = Labels { class: keys.maybe_whole("class")?, scores: single(keys.maybe_numbers("scores")?) };
    keys.end()?;
    Ok(labels)
}

fn map(json: Json) -> Result<Map> {
    let mut keys = Keys::new("a map", json)?;
    let map = Map {
        frame: keys.maybe_whole("frame")?.unwrap_or_default(),
        width: keys.whole("width")?,
        height: keys.whole("height")?,
        classes: keys::wholes("classes", &keys.want("classes")?)?,
        scores: single(keys.maybe_numbers("scores")?),
    };
    keys.end()?;
    let pixels = map.width.checked_mul(map.height);
    if pixels != Some(map.classes.len()) || !(map.scores.is_empty() || pixels == Some(map.scores.len())) {
        let (n, scores) = (map.classes.len(), map.scores.len());
        let message = format!("a map of {}x{} with {n} classes and {scores} scores", map.width, map.height);
        return Err(keys::misfit(message));
    }
    Ok(map)
}

fn frame(at: usize, json: Json) -> Result<Frame> {
    let mut keys = Keys::new("a frame", json)?;
    let number = keys.maybe_whole("number")?.unwrap_or(u32::try_from(at).unwrap_or(u32::MAX));
    let (width, height, channels) = (keys.whole("width")?, keys.whole("height")?, keys.whole("channels")?);
    let pixels = match (keys.maybe("u8"), keys.maybe("u16"), keys.maybe("f32")) {
        (Some(u8), None, None) => Pixels::U8(keys::wholes("u8", &u8)?),
        (None, Some(u16), None) => Pixels::U16(keys::wholes("u16", &u16)?),
        (None, None, Some(f32)) => Pixels::F32(single(Some(keys::numbers("f32", &f32)?))),
        _ => return Err(Error::new("PL0362", "a frame has its pixels as either `u8`, `u16` or `f32`")),
    };
    keys.end()?;
    Ok(Frame { number, image: Image::new(width, height, channels, pixels)? })
}

/// The keys of an instance are those with which a row saves it.
fn instance(json: Json) -> Result<Instance> {
    let known = serde_json::to_value(Instance::default()).unwrap_or_default();
    let unknown = |keys: &Object<String, Json>| keys.keys().find(|key| known.get(key.as_str()).is_none()).cloned();
    if let Some(key) = json.as_object().and_then(unknown) {
        return Err(Error::new("PL0362", format!("an instance has an unknown key, `{key}`")));
    }
    serde_json::from_value(json).map_err(|e| wrong("instances", "objects as a row has them").hint(e.to_string()))
}
