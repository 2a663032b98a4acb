//! Values equal those of scikit-learn, torchmetrics and MONAI, wherever these define the same.
#![allow(clippy::unwrap_used, clippy::panic)]

use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::metric::MetricConfig;
use pleach_core::{DataInfo, DynMetric, Frame, Map, Named, Plug, Row, SampleId, saved};
use pleach_metrics as _;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/goldens/metrics.json")).unwrap()
}

fn list<T>(v: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    v.as_array().into_iter().flatten().map(read).collect()
}

fn single(v: &Value) -> f32 {
    v.as_f64().unwrap() as f32
}

fn number(v: &Value, key: &str) -> usize {
    v[key].as_u64().unwrap() as usize
}

fn row(key: usize, parts: &Value) -> Row {
    let frame = |f: &Value| {
        let pixels = match f.get("u8") {
            Some(bytes) => Pixels::U8(list(bytes, |b| b.as_u64().unwrap() as u8)),
            None => Pixels::F32(list(&f["f32"], single)),
        };
        let image = Image::new(number(f, "width"), number(f, "height"), number(f, "channels"), pixels).unwrap();
        Frame { number: 0, image }
    };
    let map = |m: &Value| Map {
        frame: number(m, "frame") as u32,
        width: number(m, "width"),
        height: number(m, "height"),
        classes: list(&m["classes"], |c| c.as_u64().unwrap() as u16),
        scores: list(&m["scores"], single),
    };
    let mut row = Row::new(SampleId { index: key as u64, key: key.to_string().into() }, list(&parts["frames"], frame));
    row.video = parts["video"].as_str().map(Into::into);
    row.labels.class = parts["labels"]["class"].as_u64().map(|c| c as u32);
    row.labels.scores = list(&parts["labels"]["scores"], single);
    row.maps = list(&parts["maps"], map);
    row.values = list(&parts["values"], single);
    row
}

fn metric(case: &Value) -> MetricConfig {
    let plug = Plug::<dyn DynMetric>::named(case["name"].as_str().unwrap()).unwrap();
    let mut settings = saved::save(&MetricConfig::from(plug)).unwrap();
    for (key, value) in case["kwargs"].as_object().unwrap() {
        assert!(settings.get(key).is_some(), "{} has no `{key}`", case["name"]);
        settings[key] = value.clone();
    }
    saved::load(&settings).unwrap()
}

fn measure(metric: &MetricConfig, case: &Value) -> Named<f64> {
    let classes = list(&case["data"]["classes"], |c| c.as_str().unwrap().to_owned());
    let ignore_index = case["data"]["ignore_index"].as_u64().map(|i| i as u32);
    let data = DataInfo { classes, ignore_index, ..DataInfo::default() };
    let mut state = metric.start(&data);
    for (i, sample) in case["samples"].as_array().unwrap().iter().enumerate() {
        metric.update(&mut *state, &row(i, &sample["predicted"]), &row(i, &sample["truth"])).unwrap();
    }
    let values = metric.values(&*state);
    let said = metric.names(&data);
    assert!(values.names().all(|name| said.iter().any(|s| s == name)), "{values:?} are not all among {said:?}");
    values
}

/// Most reference values are computed in single precision.
#[test]
fn every_value_equals_the_references_and_there_are_no_others() {
    for case in golden()["cases"].as_array().unwrap() {
        let values = measure(&metric(case), case);
        let what = format!("{} {}", case["name"], case["kwargs"]);
        let want = case["values"].as_object().unwrap();
        let mut names: Vec<&str> = values.names().collect();
        let mut wanted: Vec<&str> = want.keys().map(String::as_str).collect();
        names.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(names, wanted, "{what}");
        for (name, want) in want {
            let error = (values.get(name).unwrap() - want.as_f64().unwrap()).abs();
            assert!(error <= 1e-6, "{what}: {name} is {:?}, not {want}", values.get(name));
        }
    }
}
