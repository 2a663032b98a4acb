//! Groups of parameters: what a group does not say is as in `[optimizer]`, and mistakes are shown where they stand.

use crate::common::{LEAST, read, right, right_set, shown};
use pleach_config::from_text;
use pleach_core::{Optimizer, Plug};
use std::path::Path;

const GROUPS: &str = r#"
[optimizer]
name = "AdamW"
lr = 0.01
amsgrad = true
[[optimizer.group]]
match = "encoder.*"
lr = 0.001
[[optimizer.group]]
match = ["head.*", "neck.*"]
name = "SGD"
"#;

fn value(plug: &Plug<dyn Optimizer>, key: &str) -> String {
    plug.saved().expect("saved")[key].to_string()
}

#[test]
fn a_group_takes_what_it_does_not_say_from_the_section_unless_it_names_another_optimizer() {
    let run = &right(&format!("{LEAST}{GROUPS}")).run;
    let groups = &run.optimizer.group;
    assert_eq!(groups[0].patterns, ["encoder.*"]);
    assert_eq!((groups[0].plug.lr(), value(&groups[0].plug, "amsgrad").as_str()), (0.001, "true"));
    assert_eq!((groups[1].plug.name().as_str(), groups[1].plug.lr()), ("SGD", 0.01));
    assert_eq!(groups[1].patterns, ["head.*", "neck.*"]);
}

#[test]
fn a_run_with_groups_can_be_had_again_from_its_resolved_text() {
    let first = right(&format!("{LEAST}{GROUPS}"));
    let again = from_text("resolved.toml", first.toml(), Path::new("/project")).expect("resolved text");
    assert_eq!(first.run, again.run);
}

#[test]
fn the_origin_of_a_value_that_a_group_inherits_is_the_section() {
    let run = right_set(&format!("{LEAST}{GROUPS}"), &["optimizer.amsgrad=false"]);
    let origins = run.origins();
    assert_eq!(origins["optimizer.group.0.amsgrad"], "--set optimizer.amsgrad=false");
    assert_eq!(origins["optimizer.group.0.lr"], "run.toml:11");
}

#[test]
fn mistakes_in_a_group_are_shown_at_their_places_and_those_of_the_section_once() {
    let text = format!(
        "{LEAST}[optimizer]\nname = \"AdamW\"\nlr = -1.0\n[[optimizer.group]]\nmatch = \"a\"\nmomentum = 0.9\n[[optimizer.group]]\nlr = 0.1\n"
    );
    let failure = read(&text).expect_err("three mistakes");
    let codes: Vec<_> = failure.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["PL0107", "PL0104", "PL0106"], "{}", shown(&text));
    assert!(shown(&text).contains("match: a pattern of parameter names"));
}

#[test]
fn sparing_biases_and_norms_needs_an_optimizer_with_weight_decay() {
    let text = format!("{LEAST}[optimizer]\nname = \"SGD\"\nfilter_bias_and_bn = true\n");
    assert!(shown(&text).contains("optimizer SGD has no `weight_decay`"), "{}", shown(&text));
}

#[test]
fn another_optimizer_for_a_group_leaves_it_its_parameters() {
    let run = right_set(&format!("{LEAST}{GROUPS}"), &["optimizer.group.0.name=SGD"]).run;
    let group = &run.optimizer.group[0];
    assert_eq!((group.patterns.as_slice(), group.plug.name()), (["encoder.*".to_owned()].as_slice(), "SGD".into()));
    assert_eq!(group.plug.lr(), 0.01, "SGD's own rate, not that of AdamW's group");
}
