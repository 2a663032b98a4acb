//! COCO's files become rows, to the pixel, and broken ones say where.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{data, open, refused};
use pleach_core::{Error, RotBox};
use pleach_data::coco::{Annotations, Counts, Shape, With};
use pleach_data::sources::Take;
use pleach_data::{Channels, Coco, scored};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn segmentations_become_the_pixels_of_cocos_own_code() {
    let cases: Value = serde_json::from_str(include_str!("golden/coco_masks.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let [width, height] = [0, 1].map(|i| case["size"][i].as_u64().unwrap() as usize);
        let shape: Shape = serde_json::from_value(case["segmentation"].clone()).unwrap();
        let got = shape.stretches(width, height).unwrap();
        let packed = Counts::Packed(case["packed"].as_str().unwrap().into());
        let want = Shape::Runs { size: [height, width], counts: packed }.stretches(width, height).unwrap();
        assert_eq!(got.mask(), want.mask(), "{}", case["segmentation"]);
        assert_eq!(json!(got.area()), case["area"]);
        assert_eq!(json!(got.bounds()), case["box"], "{}", case["segmentation"]);
        assert_eq!(got.mask().inside.iter().filter(|p| **p == 1).count(), got.area());
    }
}

/// Two images, ids out of order, three objects; `change` breaks it.
fn write(dir: &Path, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut file = json!({
        "info": { "year": 2026 },
        "images": [
            { "id": 9, "file_name": "b.png", "width": 6, "height": 4, "license": 1 },
            { "id": 4, "file_name": "a.png", "width": 5, "height": 5 },
        ],
        "categories": [{ "id": 90, "name": "dog" }, { "id": 7, "name": "cat", "supercategory": "animal" }],
        "annotations": [
            { "id": 1, "image_id": 9, "category_id": 90, "bbox": [1, 1, 3, 2], "area": 5.5, "iscrowd": 0,
              "segmentation": [[1, 1, 4, 1, 4, 3, 1, 3]] },
            { "id": 2, "image_id": 9, "category_id": 7, "bbox": [0, 0, 6, 4], "area": 4, "iscrowd": 1,
              "segmentation": { "size": [4, 6], "counts": [0, 4, 20] } },
            { "id": 3, "image_id": 4, "category_id": 7, "segmentation": { "size": [5, 5], "counts": "61b0" } },
        ],
    });
    change(&mut file);
    let path = dir.join("instances.json");
    fs::write(&path, file.to_string()).unwrap();
    path
}

fn results(dir: &Path, list: Value) -> PathBuf {
    let path = dir.join("results.json");
    fs::write(&path, list.to_string()).unwrap();
    path
}

#[test]
fn annotations_become_instances_in_the_order_of_ids() {
    let dir = tempfile::tempdir().unwrap();
    let all = Annotations::read(&write(dir.path(), |_| ())).unwrap();
    assert_eq!(all.info().classes, ["cat", "dog"]);
    let row = all.row(1, With::Masks).unwrap();
    assert_eq!((row.id.index, &*row.id.key, row.instances.len()), (1, "b.png", 2));
    let [dog, crowd] = &row.instances[..] else { panic!() };
    assert_eq!((dog.class, dog.crowd, dog.area, dog.score), (1, false, Some(5.5), None));
    assert_eq!(dog.bbox, Some(RotBox::from_corners(1.0, 1.0, 4.0, 3.0)));
    assert_eq!(
        dog.mask.as_ref().unwrap().inside,
        [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    );
    assert_eq!(dog.polygon.as_ref().unwrap().0, [[[1.0, 1.0], [4.0, 1.0], [4.0, 3.0], [1.0, 3.0]]]);
    assert!(crowd.crowd && crowd.class == 0 && crowd.polygon.is_none());
    assert_eq!(crowd.mask.as_ref().unwrap().inside.iter().step_by(6).sum::<u8>(), 4);
    // Without a box of its own an object has that of its pixels, also where masks are not wanted.
    let row = all.row(0, With::Boxes).unwrap();
    let cat = &row.instances[0];
    assert_eq!((cat.bbox, cat.area), (Some(RotBox::from_corners(1.0, 1.0, 2.0, 2.0)), Some(1.0)));
    assert!(cat.mask.is_none() && all.row(2, With::Boxes).unwrap_err().code() == "PL0314");
}

#[test]
fn results_have_scores_and_the_area_of_their_boxes() {
    let dir = tempfile::tempdir().unwrap();
    let all = Annotations::read(&write(dir.path(), |_| ())).unwrap();
    let list = json!([
        { "image_id": 9, "category_id": 7, "bbox": [1, 1, 3, 2], "score": 0.25 },
        { "image_id": 9, "category_id": 7, "bbox": [], "score": 0.5,
          "segmentation": { "size": [4, 6], "counts": [0, 4, 20] } },
    ]);
    let found = all.results(&results(dir.path(), list)).unwrap();
    assert_eq!(found.with(), With::Masks);
    assert!(found.row(0, With::Masks).unwrap().instances.is_empty());
    let row = found.row(1, With::Masks).unwrap();
    let [boxed, masked] = &row.instances[..] else { panic!() };
    assert_eq!((boxed.score, boxed.area, boxed.mask.is_some()), (Some(0.25), Some(6.0), false));
    assert_eq!((masked.area, masked.bbox), (Some(4.0), Some(RotBox::from_corners(0.0, 0.0, 1.0, 4.0))));
}

#[test]
fn images_come_with_their_objects() {
    let dir = tempfile::tempdir().unwrap();
    let gray = |name: &str, w: usize, h: usize| {
        image::save_buffer(dir.path().join(name), &vec![7_u8; w * h], w as u32, h as u32, image::ExtendedColorType::L8)
            .unwrap();
    };
    gray("a.png", 5, 5);
    gray("b.png", 6, 4);
    let source = |annotations, take| Coco {
        images: dir.path().to_owned(),
        annotations,
        masks: true,
        take,
        channels: Channels::AsIs,
    };
    let samples = open(&source(write(dir.path(), |_| ()), Take::All), "train");
    assert_eq!((samples.len(), samples.info().channels, samples.info().classes.len()), (2, 1, 2));
    let row = samples.row(1).unwrap();
    assert_eq!((row.size(), row.instances.len(), samples.key(1)), (Some((6, 4)), 2, row.id.key.to_string()));
    assert!(row.id.key.ends_with("b.png"));

    let only_crowds = write(dir.path(), |f| f["annotations"].as_array_mut().unwrap().retain(|a| a["id"] == 2));
    assert_eq!(refused(&source(only_crowds.clone(), Take::WithObjects)).code(), "PL0305");
    assert_eq!(open(&source(only_crowds, Take::All), "train").len(), 2);
    let one = write(dir.path(), |f| f["annotations"].as_array_mut().unwrap().retain(|a| a["id"] == 1));
    let one = open(&source(one, Take::WithObjects), "train");
    assert_eq!((one.len(), one.row(0).unwrap().id.index), (1, 0));
    assert!(one.key(0).ends_with("b.png"));

    let wrong = write(dir.path(), |f| f["images"][0]["width"] = json!(7));
    let error = open(&source(wrong, Take::All), "train").row(1).unwrap_err();
    assert!(error.code() == "PL0308" && error.message().contains("6x4 pixels, and 7x4"), "{error}");
}

#[test]
fn a_broken_annotation_file_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let read = |path: &Path| match Annotations::read(path) {
        Ok(_) => panic!("{} was read", path.display()),
        Err(e) => e,
    };
    let whole = fs::read_to_string(write(dir.path(), |_| ())).unwrap();
    for length in [0, 1, 40, whole.len() / 2, whole.len() - 1] {
        let path = dir.path().join("cut.json");
        fs::write(&path, &whole[..length]).unwrap();
        let error = read(&path);
        assert!(error.code() == "PL0316" && error.message().contains("line 1 column"), "{error}");
        assert!(error.hint_text().unwrap().contains("ends too early"), "{error}");
    }
    assert!(read(&dir.path().join("none.json")).message().contains("it does not exist"));
    let error = read(&results(dir.path(), json!([])));
    assert!(error.code() == "PL0316" && error.hint_text().unwrap().contains("`categories`"), "{error}");
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 8] = [
        (|f| f["images"][1]["id"] = json!(9), "two images have the id 9"),
        (|f| f["categories"][1]["id"] = json!(90), "`dog` and `cat` have one id, 90"),
        (|f| f["images"][0]["width"] = json!(u32::MAX), "the image 9 (`b.png`) has 4294967295x4 pixels"),
        (|f| f["images"][0]["height"] = json!(0), "6x0 pixels"),
        (|f| f["annotations"][1]["image_id"] = json!(5), "annotations[1] (id 2) is of the image 5"),
        (|f| f["annotations"][2]["category_id"] = json!(1), "annotations[2] (id 3) is of the category 1"),
        (|f| f["annotations"][0]["bbox"] = json!([1, 2, 3]), "annotations[0] (id 1) has the box [1.0, 2.0, 3.0]"),
        (|f| f["annotations"][0]["bbox"] = json!([1, 2, -3, 4]), "has the box [1.0, 2.0, -3.0, 4.0]"),
    ];
    for (change, what) in cases {
        let error = read(&write(dir.path(), change));
        assert!(error.code() == "PL0317" && error.message().contains(what), "{error}");
        assert!(error.message().contains("instances.json"), "{error}");
    }
    // A mask that cannot be spoils its own image alone.
    let path = write(dir.path(), |f| f["annotations"][1]["segmentation"]["counts"] = json!([0, 4, 21]));
    let all = Annotations::read(&path).unwrap();
    let error = all.row(1, With::Masks).unwrap_err();
    assert!(error.message().contains("annotations[1] (id 2): its segmentation has runs beyond"), "{error}");
    assert!(all.row(0, With::Masks).is_ok() && all.row(1, With::Boxes).is_ok());
}

#[test]
fn results_that_do_not_belong_to_the_annotations_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let truth = write(dir.path(), |_| ());
    let refuse = |list: Value| -> Error {
        match scored::open(&truth, &results(dir.path(), list)) {
            Ok(_) => panic!("it was opened"),
            Err(e) => e,
        }
    };
    let error = refuse(json!([{ "image_id": 9, "category_id": 7, "bbox": [1, 1, 3, 2] }]));
    assert!(error.message().contains("results[0] has no `score`") && error.code() == "PL0317", "{error}");
    let error = refuse(json!([{ "image_id": 1, "category_id": 7, "bbox": [1, 1, 3, 2], "score": 1 }]));
    assert!(error.message().contains("results[0] is of the image 1"), "{error}");
    let error = refuse(json!({ "annotations": [] }));
    assert!(error.code() == "PL0316" && error.hint_text().unwrap().contains("a list of results"), "{error}");
}

#[test]
fn rows_of_text_are_paired_by_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, lines: &[Value]| {
        let path = dir.path().join(name);
        fs::write(&path, lines.iter().map(|l| format!("{l}\n")).collect::<String>()).unwrap();
        path
    };
    let label = |key: &str, class| json!({ "key": key, "labels": { "class": class } });
    let truth = write("truth.jsonl", &[json!({ "classes": ["a", "b"] }), label("x", 0), label("y", 1)]);
    let pairs = scored::open(&truth, &write("found.jsonl", &[label("y", 0)])).unwrap();
    assert_eq!((pairs.len(), pairs.info().classes.len()), (2, 2));
    let (predicted, truth_row) = pairs.pair(1).unwrap();
    assert_eq!((predicted.labels.class, truth_row.labels.class, predicted.id), (Some(0), Some(1), truth_row.id));
    assert_eq!(pairs.pair(0).unwrap().0.labels.class, None);
    for (lines, code, what) in [
        (vec![label("z", 0)], "PL0317", "line 1: there is no true sample `z`"),
        (vec![label("x", 0), label("x", 0)], "PL0317", "line 2: the sample `x` stands there twice"),
        (vec![label("x", 0), json!({ "key": "y", "label": 1 })], "PL0316", "line 2: unknown field `label`"),
    ] {
        let Err(error) = scored::open(&truth, &write("found.jsonl", &lines)) else { panic!("{what}") };
        assert!(error.code() == code && error.message().contains(what), "{error}");
    }
}

#[test]
fn published_annotations_are_read_with_crowds_polygons_and_packed_runs() {
    let Some(root) = data("coco-eval") else { return };
    let all = Annotations::read(&root.join("instances_val2014_100.json")).unwrap();
    assert_eq!((all.images().len(), all.info().classes.len()), (100, 80));
    let rows: Vec<_> = (0..100).map(|i| all.row(i, With::Masks).unwrap()).collect();
    let instances: Vec<_> = rows.iter().flat_map(|r| &r.instances).collect();
    assert_eq!(instances.len(), 839);
    // An annotation's area is that of its outline; pixels come close to it.
    for i in instances.iter().filter(|i| i.area.unwrap() > 500.0) {
        let pixels = i.mask.as_ref().unwrap().inside.iter().filter(|p| **p == 1).count() as f32;
        assert!((pixels / i.area.unwrap() - 1.0).abs() < 0.12, "{pixels} {:?}", i.area);
    }
    let found = all.results(&root.join("instances_val2014_fakesegm100_results.json")).unwrap();
    assert_eq!((0..100).map(|i| found.row(i, With::Masks).unwrap().instances.len()).sum::<usize>(), 734);
}
