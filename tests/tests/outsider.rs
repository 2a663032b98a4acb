//! An outsider's day: new, write, laws, graft, train, from an empty folder and with nothing but the paths of the
//! crates, which stand in for a registry.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;
use pleach_core::registry;
use pleach_tests::field::{blocks, cargo_test, field, graft, run_in, share};
use pleach_tests::{Done, log, metric, root};
use std::fs;
use std::path::Path;
use std::process::Command;

const BIN: &str = env!("CARGO_BIN_EXE_pleach-under-test");

fn new(folder: &Path, kind: &str, name: &str) -> Done {
    run_in(folder, BIN, &["new", kind, name, "--core", root().to_str().unwrap()])
}

/// What the author writes: first with a mistake, then without.
fn confidence_penalty(check: &str) -> String {
    format!(
        r#"use pleach_core::{{Error, Form, Loss, LossInput, Result, Target, Tensor, Wants, plugin}};

/// Cross-entropy less `beta` times the entropy of the prediction, so that a net does not become too sure.
#[plugin(loss, cite = "arXiv:1701.06548")]
pub struct ConfidencePenalty {{
    /// Weight of the entropy.
    #[plugin(default = 0.1, range = 0.0..)]
    pub beta: f64,
}}

impl Loss for ConfidencePenalty {{
    fn wants(&self) -> Wants {{
        Wants {{ form: Form::Logits, target: Target::Mask }}
    }}

    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {{
        let (z, t) = (x.prediction, x.target(Target::Mask)?);
        {check}
        let top = z.relu()?.detach();
        let log_sum = (&top + (top.neg()?.exp()? + (z - &top)?.exp()?)?.log()?)?;
        let entropy = (&log_sum - (z * (z - &log_sum)?.exp()?)?)?;
        Ok(((&log_sum - z.broadcast_mul(t)?)? - (entropy * self.beta)?)?.mean_all()?)
    }}
}}
"#
    )
}

#[test]
fn a_day_from_an_empty_folder_to_a_trained_run() {
    let dir = field();
    let made = new(dir.path(), "loss", "ConfidencePenalty").expect_code(0);
    assert!(made.out.contains("loss ConfidencePenalty in confidence-penalty"), "{}", made.out);
    let home = dir.path().join("confidence-penalty");
    share(&home);
    let source = home.join("src/confidence_penalty.rs");

    // The laws say what is wrong with a first attempt, and what to write.
    fs::write(&source, confidence_penalty("let _: Option<Error> = None;")).unwrap();
    let broken = cargo_test(&home);
    assert_ne!(broken.code, Some(0));
    for words in [
        "loss confidence-penalty/ConfidencePenalty breaks the law: a missing target or one of another shape is an error",
        "why it matters: an author of a task learns from the message",
        "write: `x.target(...)?` and a check of shapes before the algebra",
    ] {
        assert!(broken.out.contains(words), "`{words}` is not in\n{}\n{}", broken.out, broken.err);
    }
    let check = r#"if t.dims() != z.dims() || z.elem_count() == 0 {
            return Err(Error::new("PL0202", format!("logits {:?} and a mask {:?}", z.dims(), t.dims())));
        }"#;
    fs::write(&source, confidence_penalty(check)).unwrap();
    let _ = cargo_test(&home).expect_code(0);

    // In a program of its own.
    let mine = dir.path().join("bin/my-pleach");
    let grafted = graft(BIN, &home, &["."], &mine).expect_code(0);
    assert!(grafted.out.contains("confidence-penalty 0.1.0: 1 plugin"), "{}", grafted.out);
    assert!(dir.path().join("bin/my-pleach.lock").is_file());
    let list = run_in(&home, &mine, &["list", "loss"]).expect_code(0);
    assert!(list.out.lines().any(|l| l.contains("ConfidencePenalty") && l.contains("[confidence-penalty 0.1.0]")));
    let _ = run_in(&home, &mine, &["doctor"]).expect_code(0);
    let _ = run_in(&home, &mine, &["train", "run.toml", "--out", "first"]).expect_code(0);
    assert!(metric(&home.join("first"), "val_accuracy") > 0.3);
    assert!(fs::read_to_string(home.join("first/plugins.lock")).unwrap().contains("confidence-penalty 0.1.0"));

    // And without one, in the author's own loop.
    let dev = run_in(&home, BIN, &["dev", "--offline", "--", "train", "run.toml", "--out", "second"]).expect_code(0);
    assert!(dev.out.contains("run folder: second"), "{}", dev.out);
    assert_eq!(log(&home.join("first")).len(), log(&home.join("second")).len());
    let wrong = run_in(&home, BIN, &["dev", "--offline", "--", "describe", "ConfidencePenalt"]).expect_code(2);
    assert!(wrong.err.contains("did you mean `ConfidencePenalty`?"), "{}", wrong.err);
}

#[test]
fn the_template_and_the_page_of_every_kind_compile_and_obey_the_laws() {
    let dir = field();
    let whole = dir.path().join("all-kinds");
    let mut modules = String::new();
    let kinds = registry::kinds();
    for kind in &kinds {
        let name = format!("own-{kind}");
        let _ = new(dir.path(), kind, &name).expect_code(0);
        let (home, module) = (dir.path().join(&name), format!("own_{kind}"));
        if modules.is_empty() {
            for folder in ["src", "tests", "golden"] {
                fs::create_dir_all(whole.join(folder)).unwrap();
            }
            let manifest = fs::read_to_string(home.join("Cargo.toml")).unwrap();
            fs::write(whole.join("Cargo.toml"), manifest.replace(&name, "all-kinds")).unwrap();
            fs::write(whole.join("tests/laws.rs"), "//! Laws.\npleach_testkit::laws!(all_kinds);\n").unwrap();
        }
        let page = fs::read_to_string(root().join(format!("docs/plugins/{kind}.md"))).unwrap();
        fs::write(whole.join(format!("src/page_{kind}.rs")), &blocks(&page, "rust")[0].1).unwrap();
        modules.push_str(&format!("pub mod {module};\npub mod page_{kind};\n"));
        fs::copy(home.join(format!("src/{module}.rs")), whole.join(format!("src/{module}.rs"))).unwrap();
        fs::copy(home.join("run.toml"), whole.join(format!("{kind}.toml"))).unwrap();
        let script = home.join(format!("golden/{module}.py"));
        if script.is_file() {
            fs::copy(script, whole.join(format!("golden/{module}.py"))).unwrap();
        }
    }
    fs::write(whole.join("src/lib.rs"), format!("//! The template and the page of every kind.\n{modules}")).unwrap();
    share(&whole);
    let _ = cargo_test(&whole).expect_code(0);

    let mine = dir.path().join("with-all-kinds");
    let grafted = graft(BIN, dir.path(), &["all-kinds"], &mine).expect_code(0);
    assert!(grafted.out.contains(&format!("all-kinds 0.1.0: {} plugins", 2 * kinds.len())), "{}", grafted.out);
    for kind in &kinds {
        let _ = run_in(&whole, &mine, &["check", &format!("{kind}.toml")]).expect_code(0);
    }
    for kind in ["model", "source", "task", "observer", "keeper"] {
        let _ = run_in(&whole, &mine, &["train", &format!("{kind}.toml"), "--out", kind]).expect_code(0);
    }
    certify(&whole, &mine);
}

fn certify(whole: &Path, mine: &Path) {
    let scripts: Vec<_> = fs::read_dir(whole.join("golden")).unwrap().map(|e| e.unwrap().path()).collect();
    for script in &scripts {
        match Command::new("python3").arg(script).output() {
            Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr)),
            Err(_) => return pleach_tests::skipped("python3 is not here, and golden scripts are not run"),
        }
    }
    let done = run_in(whole, mine, &["certify", "golden", "--crate", "all-kinds"]).expect_code(0);
    let (files, cases) = (scripts.len(), 2 * scripts.len());
    assert!(done.out.contains(&format!("{cases} cases of {files} files: {cases} pass, 0 fail")), "{}", done.out);
}

#[test]
fn what_cannot_be_made_is_told_with_a_code() {
    let dir = field();
    let at = |args: &[&str]| run_in(dir.path(), BIN, args).expect_code(2).err;
    for (args, code, words) in [
        (&["new", "los", "A1"][..], "PL0132", "did you mean `loss`?"),
        (&["new", "loss", "2D"], "PL0170", "letters and digits"),
        (&["new", "loss", "Dice"], "PL0170", "pleach-losses/Dice"),
        (&["new", "loss", "Own", "--core", "."], "PL0172", "crates/core"),
        (&["dev", "--", "list"], "PL0175", "is not in a crate"),
        (&["graft", "--with", "acme", "-o", "x"], "PL0171", "CRATE@VERSION"),
        (
            &["graft", "--with", "acme@1.0", "--with", "acme@2.0", "--core", root().to_str().unwrap(), "-o", "x"],
            "PL0171",
            "two crates",
        ),
    ] {
        let err = at(args);
        assert!(err.contains(code) && err.contains(words), "{args:?}: {err}");
    }
    fs::create_dir(dir.path().join("own")).unwrap();
    fs::write(dir.path().join("own/notes.txt"), "mine").unwrap();
    assert!(at(&["new", "loss", "Own"]).contains("PL0174"));
}

#[test]
fn two_cores_in_one_program_are_refused_before_anything_is_compiled() {
    let dir = field();
    let _ = new(dir.path(), "keeper", "Own").expect_code(0);
    // Another's crate that has come by an older core, not of its own but below a crate that it uses.
    let package = |name: &str, version: &str, more: &str| {
        fs::create_dir_all(dir.path().join(name).join("src")).unwrap();
        fs::write(dir.path().join(name).join("src/lib.rs"), "").unwrap();
        let text = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n{more}");
        fs::write(dir.path().join(name).join("Cargo.toml"), text).unwrap();
    };
    package("pleach-core", "0.0.9", "links = \"pleach-core\"\n");
    fs::write(dir.path().join("pleach-core/build.rs"), "fn main() {}\n").unwrap();
    package("below", "0.1.0", "[dependencies]\npleach-core = { path = \"../pleach-core\" }\n");
    package("theirs", "0.1.0", "[dependencies]\nbelow = { path = \"../below\" }\n");
    let refused = graft(BIN, dir.path(), &["own", "theirs"], &dir.path().join("both")).expect_code(1).err;
    for words in ["PL0241", "these crates want different versions of pleach-core", "`below v0.1.0"] {
        assert!(refused.contains(words), "`{words}` is not in\n{refused}");
    }
    // Where each says so itself, no cargo is needed to see it.
    package("theirs", "0.1.0", "[dependencies]\npleach-core = { path = \"../elsewhere/crates/core\" }\n");
    fs::create_dir_all(dir.path().join("elsewhere/crates")).unwrap();
    fs::rename(dir.path().join("pleach-core"), dir.path().join("elsewhere/crates/core")).unwrap();
    let refused = run_in(dir.path(), BIN, &["graft", "--with", "own", "--with", "theirs", "-o", "both"]).expect_code(2);
    assert!(refused.err.contains("PL0173  two versions of pleach-core: `own` has that of"), "{}", refused.err);
}

#[test]
fn a_cargo_that_is_missing_or_fails_is_told_with_the_end_of_its_words() {
    let dir = field();
    let _ = new(dir.path(), "keeper", "Own").expect_code(0);
    let home = dir.path().join("own");
    share(&home);
    let dev = |cargo: &str| {
        let mut command = Command::new(BIN);
        command.args(["dev", "--offline", "--", "list"]).current_dir(&home).env("CARGO", cargo);
        Done::from(command.env("CARGO_TARGET_DIR", root().join("target")).output().unwrap()).expect_code(1).err
    };
    let missing = dev("no-such-cargo");
    assert!(missing.contains("PL0240  cannot run `no-such-cargo`") && missing.contains("rustup"), "{missing}");
    fs::write(home.join("src/lib.rs"), "mod own;\nmod elsewhere;\n").unwrap();
    let failed = dev(env!("CARGO"));
    assert!(failed.contains("PL0241") && failed.contains("file not found for module `elsewhere`"), "{failed}");
}
