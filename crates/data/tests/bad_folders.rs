//! Folders and files that do not fit are reported with their paths before or while they are read.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;

use common::{open, refused};
use image::{GrayImage, RgbImage};
use pleach_core::error::Class;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{Plug, Source};
use pleach_data::{Channels, ClassFolders, Idx, ImageFiles, Orientation};
use std::fs;
use std::path::Path;

const AT: Place = Place { source: 0, start: 0, end: 0 };

/// The plugin of a table of a file.
fn configured(entries: &[(&str, Value)]) -> Result<Plug<dyn Source>, String> {
    let node = |value: &Value| Node { value: value.clone(), place: AT };
    let entries = entries.iter().map(|(k, v)| (Key { name: (*k).into(), place: AT }, node(v))).collect();
    let mut r = Reader::default();
    let plug = Plug::read(&Node { value: Value::Table(Table { entries }), place: AT }, &mut r);
    plug.filter(|_| r.diagnostics.is_empty())
        .ok_or_else(|| r.diagnostics.iter().map(|d| format!("{} {}\n", d.code, d.message)).collect())
}

fn text(s: impl AsRef<Path>) -> Value {
    Value::Str(s.as_ref().display().to_string())
}

fn list(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|s| Node { value: Value::Str((*s).into()), place: AT }).collect())
}

fn masks_in(dir: &Path, more: &[(&str, Value)]) -> Plug<dyn Source> {
    let mut all = vec![
        ("name", Value::Str("ImageMasks".into())),
        ("images", text(dir.join("images"))),
        ("masks", text(dir.join("masks"))),
    ];
    all.extend_from_slice(more);
    configured(&all).unwrap()
}

fn write(dir: &Path, name: &str, width: u32, value: u8) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if name.starts_with("images") {
        RgbImage::from_pixel(width, 4, image::Rgb([value; 3])).save(path).unwrap();
    } else {
        GrayImage::from_pixel(width, 4, image::Luma([value])).save(path).unwrap();
    }
}

fn class_folders(root: &Path) -> ClassFolders {
    ClassFolders {
        root: root.into(),
        classes: vec![],
        extensions: pleach_data::files::image_extensions(),
        channels: Channels::AsIs,
        orientation: Orientation::Stored,
    }
}

#[test]
fn missing_and_empty_folders_are_data_errors_with_their_path() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let error = refused(&class_folders(&root.join("nowhere")));
    assert_eq!((error.code(), error.class()), ("PL0304", Class::Data));
    assert!(error.message().contains("nowhere") && error.message().contains("does not exist"), "{error}");
    assert_eq!(refused(&class_folders(root)).code(), "PL0306", "no folders of classes");
    fs::create_dir_all(root.join("cat")).unwrap();
    fs::write(root.join("cat/notes.txt"), "none").unwrap();
    let error = refused(&class_folders(root));
    assert_eq!(error.code(), "PL0305");
    assert!(error.message().contains("cat"), "{error}");
    fs::write(root.join("file"), "").unwrap();
    assert!(refused(&class_folders(&root.join("file"))).message().contains("a file, not a folder"));
    write(root, "cat/a.png", 4, 0);
    let dogs = ClassFolders { classes: vec!["cat".into(), "dog".into()], ..class_folders(root) };
    assert!(refused(&dogs).message().contains("no folder `dog`"));
    let samples = open(&class_folders(root), "train");
    assert_eq!((samples.len(), samples.info().channels), (1, 1), "as_is takes the channels of the file");

    assert_eq!(refused(&ImageFiles::new(vec![], Channels::Rgb)).code(), "PL0305");
    assert_eq!(refused(&ImageFiles::new(vec![root.join("no.png")], Channels::Rgb)).code(), "PL0304");
    let idx = Idx { root: Some(root.into()), split: None, images: None, labels: None, classes: vec![] };
    assert!(refused(&idx).message().contains("train-images-idx3-ubyte"));
}

#[test]
fn a_mask_of_another_size_is_refused_with_both_sizes() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "images/a.png", 6, 0);
    write(dir.path(), "masks/a.png", 5, 0);
    let error = open(&*masks_in(dir.path(), &[("classes", list(&["sky"]))]), "train").row(0).unwrap_err();
    assert_eq!(error.code(), "PL0308");
    assert!(error.message().contains("5x4") && error.message().contains("6x4") && error.message().contains("a.png"));
}

#[test]
fn a_class_out_of_range_is_refused_with_the_pixel() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "images/a.png", 6, 0);
    write(dir.path(), "masks/a.png", 6, 3);
    let error = open(&*masks_in(dir.path(), &[("classes", list(&["sky", "sea"]))]), "train").row(0).unwrap_err();
    assert!(error.message().contains("the class 3 at x = 0, y = 0"), "{error}");
}

#[test]
fn files_without_a_partner_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let source = masks_in(dir.path(), &[("classes", list(&["sky"])), ("mask_suffix", text("_mask"))]);
    write(dir.path(), "images/v/a.png", 6, 0);
    write(dir.path(), "images/v/b.bmp", 6, 0);
    write(dir.path(), "masks/v/a_mask.png", 6, 0);
    let error = refused(&*source);
    assert_eq!(error.code(), "PL0307");
    assert!(error.message().contains("b.bmp has no mask in"), "{error}");
    write(dir.path(), "masks/v/b_mask.png", 6, 0);
    assert_eq!(open(&*source, "train").len(), 2);
    write(dir.path(), "masks/v/c_mask.png", 6, 0);
    assert!(refused(&*source).message().contains("c_mask.png has no image in"));
    write(dir.path(), "images/v/c.png", 6, 0);
    write(dir.path(), "images/v/c.bmp", 6, 0);
    assert!(refused(&*source).message().contains("the same name"));
}

#[test]
fn images_and_masks_may_share_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["images/a.png", "images/a_mask.png", "images/b.png", "images/b_mask.png"] {
        write(dir.path(), name, 6, 0);
    }
    let more = [("masks", text(dir.path().join("images"))), ("mask_suffix", text("_mask"))];
    let mut all = vec![("name", Value::Str("ImageMasks".into())), ("images", text(dir.path().join("images")))];
    all.extend_from_slice(&more);
    all.push(("threshold", Value::Int(1)));
    let samples = open(&*configured(&all).unwrap(), "train");
    assert_eq!(samples.len(), 2);
    assert_eq!(samples.row(1).unwrap().maps.len(), 1);
}

#[test]
fn videos_too_short_for_a_clip_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..3 {
        write(dir.path(), &format!("images/v/{i}.png"), 6, 0);
        write(dir.path(), &format!("masks/v/{i}.png"), 6, 0);
    }
    let clips = |n| masks_in(dir.path(), &[("classes", list(&["sky"])), ("frames_per_clip", Value::Int(n))]);
    let error = refused(&*clips(4));
    assert!(error.code() == "PL0311" && error.hint_text().unwrap().contains("the longest has 3"), "{error}");
    let row = open(&*clips(3), "train").row(0).unwrap();
    assert_eq!((row.video.as_deref(), row.frames.len(), row.maps.len()), (Some("v"), 3, 3));
}

#[test]
fn senseless_class_maps_are_mistakes_of_the_file() {
    let color = |c: i64| Value::Array((0..3).map(|_| Node { value: Value::Int(c), place: AT }).collect());
    let colors = |of: &[(&str, i64)]| {
        let entries =
            of.iter().map(|(name, c)| (Key { name: (*name).into(), place: AT }, Node { value: color(*c), place: AT }));
        Value::Table(Table { entries: entries.collect() })
    };
    let with = |more: &[(&str, Value)]| {
        let mut all = vec![("name", text("ImageMasks")), ("images", text("i")), ("masks", text("m"))];
        all.extend_from_slice(more);
        configured(&all).map(|_| ()).unwrap_err()
    };
    assert!(with(&[]).contains("masks need `classes`, `colors` or `threshold`"));
    assert!(with(&[("colors", colors(&[("a", 1), ("b", 1)]))]).contains("has the colour [1, 1, 1] of another"));
    assert!(with(&[("colors", colors(&[("a", 1)])), ("classes", list(&["a", "b"]))]).contains("`b` has no colour"));
    assert!(with(&[("colors", colors(&[("a", 1)])), ("classes", list(&["b"]))]).contains("`a` is not in `classes`"));
    assert!(with(&[("threshold", Value::Int(1)), ("classes", list(&["a"]))]).contains("makes two classes"));
    assert!(with(&[("classes", list(&["a"])), ("ignore_color", color(0))]).contains("have `ignore_index`"));
}
