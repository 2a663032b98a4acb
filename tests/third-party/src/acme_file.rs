//! An importer.

use pleach_core::export::serde_json::json;
use pleach_core::{Claim, Import, Importer, Result, Saved, plugin};

/// The files of Acme's older trainer: `acme_rate` is the learning rate, `acme_rounds` the epochs.
#[plugin(importer)]
pub struct AcmeFile {}

impl Importer for AcmeFile {
    fn knows(&self, document: &Saved) -> Claim {
        if document.get("acme_rate").is_some() { Claim::Whole } else { Claim::Nothing }
    }

    fn import(&self, document: &Saved) -> Result<Import> {
        let mut import = Import::default();
        if let Some(rate) = document.get("acme_rate") {
            import.keep("acme_rate", "optimizer.lr", rate.clone());
            let name = document.get("acme_rule").cloned().unwrap_or_else(|| "SignSGD".into());
            import.keep("acme_rule", "optimizer.name", name);
        }
        if let Some(rounds) = document.get("acme_rounds") {
            import.keep("acme_rounds", "trainer.max_epochs", rounds.clone());
        }
        for path in import.passed_over(document) {
            import.missing(path, "Acme's trainer never read it either");
        }
        Ok(import)
    }

    fn example(&self) -> Saved {
        json!({ "acme_rate": 0.01, "acme_rounds": 3, "acme_colour": { "of": "blobs" } })
    }
}
