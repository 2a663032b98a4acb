//! Two plugins of one kind and name stop the program and name both crates, unless the file chooses.
#![allow(clippy::expect_used, clippy::panic)]

#[path = "../config/common.rs"]
mod common;

use common::{LEAST, losses::ClassLoss, places, read, right};
use pleach_core::read::ReadTable;
use pleach_core::registry::{Boxed, Entry, Kind, schema_of};
use pleach_core::{Loss, kinds};
use std::any::TypeId;

fn boxed(loss: ClassLoss) -> Boxed {
    let tagged: Box<dyn kinds::loss::Tagged> = Box::new(loss);
    Box::new(tagged)
}

// What a second crate would leave in the registry.
pleach_core::export::inventory::submit! {
    Entry {
        kind: <dyn Loss as Kind>::NAME,
        kind_id: TypeId::of::<dyn Loss>,
        name: "ClassLoss",
        alias: &[],
        doc: "Another loss of this name.",
        cite: &[],
        krate: "my-losses",
        version: "0.3.0",
        fields: <ClassLoss as ReadTable>::FIELDS,
        read: |table, place, of, r| ClassLoss::read_table(table, place, of, r).map(boxed),
        sample: || boxed(ClassLoss::sample()),
        sample_saved: || pleach_core::saved::save(&ClassLoss::sample()).unwrap_or_default(),
        schema: || schema_of::<ClassLoss>(<ClassLoss as ReadTable>::FIELDS),
    }
}

#[test]
fn a_name_of_two_crates_stops_the_program_even_where_the_file_does_not_use_it() {
    let failure = read(LEAST).expect_err("two of a name");
    assert_eq!(places(&failure), ["PL0102 -"]);
    let shown = failure.render(pleach_config::Paint::Plain);
    assert!(shown.contains("2 plugins of the kind loss are called `ClassLoss`"), "{shown}");
    assert!(shown.contains("my-losses 0.3.0") && shown.contains("pleach-config 0.1.0"), "{shown}");
    assert!(shown.contains("`my-losses/ClassLoss` or `pleach-config/ClassLoss`"), "{shown}");
}

#[test]
fn where_the_file_uses_the_name_the_caret_is_there() {
    let failure = read(&format!("{LEAST}loss = ['ClassLoss']\n")).expect_err("two of a name");
    assert_eq!(places(&failure), ["PL0102 run.toml:4:9"]);
}

#[test]
fn a_file_may_choose_and_its_resolved_form_keeps_the_choice() {
    let resolved = right(&format!("{LEAST}loss = ['pleach-config/ClassLoss']\n"));
    assert!(resolved.toml().contains("name = \"pleach-config/ClassLoss\""), "{}", resolved.toml());
    assert!(resolved.toml().contains("name = \"OneLayer\""));
    assert_eq!(right(resolved.toml()).run, resolved.run);
}
