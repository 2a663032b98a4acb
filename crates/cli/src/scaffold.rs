//! A new plugin crate from templates, one for each kind: what `pleach new` writes.

use crate::graft::Home;
use pleach_core::kinds::loss::snake;
use std::path::{Path, PathBuf};

/// What is written for a plugin of a kind.
pub struct Template {
    /// The kind.
    pub kind: &'static str,
    /// The plugin: it compiles, and obeys the laws as it is.
    plugin: &'static str,
    /// A script that makes a golden file, where `pleach certify` can replay one.
    golden: Option<&'static str>,
    /// Where a run names it.
    place: Place,
}

/// Where a run file names a plugin of a kind.
#[derive(Clone, Copy)]
enum Place {
    /// As the plugin of a section, in place of the one that stands there.
    Section(&'static str),
    /// In place of the source of both splits.
    Data,
    /// In the list of augmentations.
    Augment,
    /// In the list of metrics.
    Metrics,
    /// In a seat of `[backend]`.
    Seat,
    /// A run does not name it.
    Nowhere,
}

macro_rules! template {
    ($kind:literal, $place:expr) => {
        template!($kind, $place, None)
    };
    ($kind:literal, $place:expr, golden) => {
        template!($kind, $place, Some(include_str!(concat!("../templates/golden/", $kind, ".py"))))
    };
    ($kind:literal, $place:expr, $golden:expr) => {
        Template {
            kind: $kind,
            plugin: include_str!(concat!("../templates/plugin/", $kind, ".rs")),
            golden: $golden,
            place: $place,
        }
    };
}

/// All templates; a test holds the list against the kinds of the registry.
const ALL: &[Template] = &[
    template!("augmentation", Place::Augment),
    template!("backend", Place::Seat),
    template!("command", Place::Nowhere),
    template!("importer", Place::Nowhere),
    template!("keeper", Place::Section("[[keeper]]")),
    template!("loss", Place::Section("[[loss]]"), golden),
    template!("metric", Place::Metrics, golden),
    template!("model", Place::Section("[model]")),
    template!("observer", Place::Section("[[observer]]")),
    template!("optimizer", Place::Section("[optimizer]"), golden),
    template!("scheduler", Place::Section("[scheduler]"), golden),
    template!("source", Place::Data),
    template!("task", Place::Section("[task]")),
];

/// The template of a kind.
pub fn template(kind: &str) -> Option<&'static Template> {
    ALL.iter().find(|t| t.kind == kind)
}

/// The three spellings of a plugin's name.
pub struct Names {
    /// The type, which is the name in a run file: `FocalTversky`.
    pub plugin: String,
    /// The module and the values in logs: `focal_tversky`.
    pub module: String,
    /// The crate and its folder: `focal-tversky`.
    pub package: String,
}

/// Words that Rust keeps for itself, and a crate cannot be called.
const KEPT: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "core", "crate", "do", "dyn",
    "else", "enum", "extern", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "test", "trait",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

impl Names {
    /// From `FocalTversky`, `focal_tversky` or `focal-tversky`; none if no type can be called so.
    pub fn new(said: &str) -> Option<Self> {
        let mut plugin = String::new();
        for word in said.split(['-', '_']) {
            let mut letters = word.chars();
            plugin.extend(letters.next().map(|c| c.to_ascii_uppercase()));
            plugin.push_str(letters.as_str());
        }
        let module = snake(&plugin);
        let letters =
            plugin.chars().all(|c| c.is_ascii_alphanumeric()) && plugin.starts_with(|c: char| c.is_ascii_alphabetic());
        (letters && !KEPT.contains(&module.as_str())).then(|| Self {
            package: module.replace('_', "-"),
            plugin,
            module,
        })
    }

    fn put(&self, text: &str) -> String {
        text.replace("MyPlugin", &self.plugin).replace("my_plugin", &self.module).replace("my-plugin", &self.package)
    }
}

/// The files of a new crate, by their paths in it.
pub fn files(template: &Template, names: &Names, home: &Home) -> Vec<(PathBuf, String)> {
    let manifest = include_str!("../templates/Cargo.toml.in");
    let manifest = manifest.replace("CORE", &home.dependency("core")).replace("TESTKIT", &home.dependency("testkit"));
    let mut all = vec![
        (PathBuf::from("Cargo.toml"), names.put(&manifest)),
        (PathBuf::from(".gitignore"), "/target\n/runs\n".to_owned()),
        (Path::new("src").join("lib.rs"), names.put(include_str!("../templates/lib.rs.in"))),
        (Path::new("src").join(format!("{}.rs", names.module)), names.put(template.plugin)),
        (Path::new("tests").join("laws.rs"), names.put(include_str!("../templates/laws.rs.in"))),
        (PathBuf::from("run.toml"), run_file(template.place, names)),
        (PathBuf::from("README.md"), readme(template, names)),
    ];
    if let Some(script) = template.golden {
        all.push((Path::new("golden").join(format!("{}.py", names.module)), names.put(script)));
    }
    all
}

/// A run of a minute on data that are a part of the program, with the plugin in its place.
fn run_file(place: Place, names: &Names) -> String {
    let name = &names.plugin;
    let (mut source, mut augment, mut metrics, mut seat) =
        ("Digits", String::new(), "\"Accuracy\"".to_owned(), String::new());
    let mut sections = vec![
        ("[task]", "Classification"),
        ("[model]", "ConvNet"),
        ("[[loss]]", "CrossEntropy"),
        ("[optimizer]", "AdamW"),
    ];
    match place {
        Place::Section(header) => match sections.iter_mut().find(|(h, _)| *h == header) {
            Some(section) => section.1 = name,
            None => sections.push((header, name)),
        },
        Place::Data => source = name,
        Place::Augment => augment = format!("augment = [\"{name}\"]\n"),
        Place::Metrics => metrics = format!("\"Accuracy\", \"{name}\""),
        Place::Nowhere => {}
        Place::Seat => seat = format!("\n[backend]\nkernels = \"{name}\"\n"),
    }
    let sections: String = sections.iter().map(|(header, name)| format!("\n{header}\nname = \"{name}\"\n")).collect();
    format!(
        "# A short run with {name} in it: pleach dev -- train run.toml\n[run]\nname = \"{}\"\nseed = 1\n{sections}\n\
         [dataset.train]\nname = \"{source}\"\n{augment}\n[dataset.val]\nname = \"{source}\"\n\n\
         [dataloader]\nbatch_size = 32\n\n[metrics]\nval = [{metrics}]\n{seat}\n[trainer]\nmax_epochs = 2\n",
        names.package
    )
}

fn readme(template: &Template, names: &Names) -> String {
    let Names { plugin, module, package } = names;
    let mut text = format!(
        "# {package}\n\n`{plugin}`, a plugin of pleach (kind: {kind}). It stands in `src/{module}.rs`.\n\n```sh\n\
         cargo test                                  # the laws of its kind\n\
         pleach dev -- describe {plugin}\n\
         pleach dev -- train run.toml                # pleach with the plugin in it\n\
         pleach graft --with . -o my-pleach          # the same as a program of its own\n```\n",
        kind = template.kind,
    );
    if template.golden.is_some() {
        text.push_str(&format!(
            "\n`golden/{module}.py` makes a golden file. Fill in the reference that {plugin} must agree with, then:\n\n```sh\n\
             python golden/{module}.py\n\
             pleach dev -- certify golden --crate {package} --record certificates.json\n```\n\n\
             and ship the proof with one line in `src/lib.rs`:\n\n```rust\n\
             pleach_core::certificates!(include_str!(\"../certificates.json\"));\n```\n",
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_registry_has_a_template() {
        let kinds = pleach_core::registry::kinds();
        let have: Vec<&str> = ALL.iter().map(|t| t.kind).collect();
        assert_eq!(have, kinds, "templates stand in crates/cli/templates/plugin, and are listed in scaffold.rs");
    }

    #[test]
    fn what_can_be_certified_has_a_golden_script() {
        let mut with: Vec<&str> = ALL.iter().filter(|t| t.golden.is_some()).map(|t| t.kind).collect();
        let mut certified: Vec<&str> = pleach_certify::kinds().collect();
        with.sort_unstable();
        certified.sort_unstable();
        assert_eq!(with, certified);
    }

    #[test]
    fn a_name_is_understood_in_every_spelling() {
        for said in ["FocalTversky", "focal-tversky", "focal_tversky"] {
            let names = Names::new(said).unwrap();
            assert_eq!([names.plugin, names.module, names.package], ["FocalTversky", "focal_tversky", "focal-tversky"]);
        }
        assert_eq!(Names::new("F1").unwrap().package, "f1");
        for said in ["", "-", "2D", "a b", "Loop", "Core", "Täter", "a/b", "../up"] {
            assert!(Names::new(said).is_none(), "{said}");
        }
    }

    #[test]
    fn no_word_of_the_template_is_left() {
        for template in ALL {
            let names = Names::new("SoftEdge").unwrap();
            for (path, text) in files(template, &names, &Home::registry()) {
                for word in ["MyPlugin", "my_plugin", "my-plugin", "CORE", "TESTKIT"] {
                    assert!(!text.contains(word), "{}: {word}", path.display());
                }
            }
        }
    }
}
