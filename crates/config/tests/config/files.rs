//! A file that is no configuration is refused by its path.

use crate::common::LEAST;
use pleach_config::{Paint, load};
use std::path::Path;

fn refused(path: &Path) -> String {
    load(path, &[]).expect_err("no configuration").render(Paint::Plain)
}

#[test]
fn what_cannot_be_read_is_refused_with_its_path() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("run.toml"), LEAST).expect("written");
    assert!(load(&path("run.toml"), &[]).is_ok());

    let shown = refused(&path("rum.toml"));
    assert!(
        shown.starts_with("PL0114  cannot read `") && shown.contains("rum.toml`: there is no such file"),
        "{shown}"
    );
    assert!(shown.contains("there is `run.toml` in that folder"), "{shown}");
    assert!(refused(dir.path()).contains("it is a folder"));

    std::fs::write(path("latin.toml"), b"# ok\nname = \"gr\xf6n\"").expect("written");
    let shown = refused(&path("latin.toml"));
    assert!(shown.contains("PL0116") && shown.contains("byte 15, in line 2"), "{shown}");
}

#[test]
fn a_file_of_100_mb_is_refused_by_its_size_and_not_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("weights.toml");
    // A hole of a file: to read it would take time and memory.
    std::fs::File::create(&path).and_then(|f| f.set_len(100 << 20)).expect("created");
    let shown = refused(&path);
    assert!(shown.contains("PL0115") && shown.contains("weights.toml` is no configuration: it has 100 MiB"), "{shown}");
}

#[test]
fn a_mark_of_byte_order_is_no_mistake() {
    assert!(crate::common::read(&format!("\u{feff}{LEAST}")).is_ok());
    assert!(crate::common::read(&LEAST.replace('\n', "\r\n")).is_ok());
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("run.toml");
    let text =
        "task = 'Sorting'\nmodel = 'OneLayer'\ndataset.train = { name = 'Shelf', root = 'data', masks = '/abs' }\n";
    std::fs::write(&path, text).expect("written");
    let run = load(&path, &["dataset.val={name='Shelf', root='here'}".to_owned()]).expect("right").run;
    let data = pleach_core::saved::save(&run.dataset).expect("saved");
    assert_eq!(data["train"]["root"].as_str().map(Path::new), Some(dir.path().join("data").as_path()));
    assert_eq!(data["train"]["masks"], "/abs");
    let here = std::env::current_dir().expect("a folder").join("here");
    assert_eq!(data["val"]["root"].as_str().map(Path::new), Some(here.as_path()));
}
