//! Importers that break a law.

use pleach_core::export::serde_json::json;
use pleach_core::*;

pub const BREAKS: &[(&str, &[&str])] = &[("Greedy", &["knows its own example"]), ("Careless", &["every value"])];

/// Claims whatever it is shown.
#[plugin(importer)]
struct Greedy {}

impl Importer for Greedy {
    fn knows(&self, _: &Saved) -> Claim {
        Claim::Whole
    }
    fn import(&self, document: &Saved) -> Result<Import> {
        let mut import = Import::default();
        for path in import.passed_over(document) {
            import.missing(path, "nothing here is like it");
        }
        Ok(import)
    }
    fn example(&self) -> Saved {
        json!({ "lr": 0.1 })
    }
}

/// Takes the rate and drops the rest.
#[plugin(importer)]
struct Careless {}

impl Importer for Careless {
    fn knows(&self, document: &Saved) -> Claim {
        if document.get("lr").is_some() { Claim::Sections } else { Claim::Nothing }
    }
    fn import(&self, document: &Saved) -> Result<Import> {
        let mut import = Import::default();
        if let Some(lr) = document.get("lr") {
            import.keep("lr", "optimizer.lr", lr.clone());
        }
        Ok(import)
    }
    fn example(&self) -> Saved {
        json!({ "lr": 0.1, "epochs": 5 })
    }
}
