//! Laws of importers.

use super::{Bench, Law, through_text};
use crate::fault::ensure;
use pleach_core::Plug;
use pleach_core::export::serde_json::json;
use pleach_core::kinds::importer::{Claim, Importer};

/// An importer knows its own.
pub const KNOWS: Law = Law {
    name: "an importer knows its own example, and makes no claim to an empty document",
    why: "a file is handed to the importer that claims it most",
    write: "`knows` by keys that the system's files have, and `Claim::Nothing` where there is none",
};

/// Every value has a fate.
pub const ACCOUNTS: Law = Law {
    name: "every value of a document is kept, or said to be so anyway, or said to be missing",
    why: "a parameter that is dropped without a word trains something else than the file says",
    write: "`keep`, `anyway` or `missing` for each; `passed_over` lists those that are left",
};

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Importer>) {
    bench.check(&KNOWS, || {
        ensure(plug.knows(&plug.example()) != Claim::Nothing, || "it does not know its own example".into())?;
        for empty in [json!({}), json!(null), json!([])] {
            ensure(plug.knows(&empty) == Claim::Nothing, || format!("it makes a claim to `{empty}`"))?;
        }
        Ok(())
    });
    bench.check(&ACCOUNTS, || {
        let mut document = through_text(&plug.example())?;
        let first = plug.import(&document)?;
        ensure(first == plug.import(&document)?, || "a second import of its example says something else".into())?;
        // A key that nobody has is to be accounted for as well.
        if let Some(table) = document.as_object_mut() {
            table.insert("a_key_that_nobody_has".into(), json!({ "deep": [1, { "deeper": true }] }));
        }
        let left = plug.import(&document)?.passed_over(&document);
        ensure(left.is_empty(), || format!("nothing is said of `{}`", left.join("`, `")))
    });
}
