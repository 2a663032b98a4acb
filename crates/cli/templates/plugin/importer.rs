use pleach_core::export::serde_json::json;
use pleach_core::kinds::importer::{Claim, Import, Importer};
use pleach_core::{Result, Saved, plugin};

/// Configurations that have `steps` and `rate` below `my_plugin`.
#[plugin(importer)]
pub struct MyPlugin {}

impl Importer for MyPlugin {
    fn knows(&self, document: &Saved) -> Claim {
        if document.get("my_plugin").is_some() { Claim::Whole } else { Claim::Nothing }
    }

    fn import(&self, document: &Saved) -> Result<Import> {
        let mut import = Import::default();
        for (key, value) in document.get("my_plugin").and_then(Saved::as_object).into_iter().flatten() {
            let from = format!("my_plugin.{key}");
            match key.as_str() {
                "rate" => import.keep(from, "optimizer.lr", value.clone()),
                "steps" => import.keep(from, "trainer.max_steps", value.clone()),
                _ => import.missing(from, "no section of a run has this key"),
            }
        }
        for path in import.passed_over(document) {
            import.missing(path, "it stands outside of `my_plugin`");
        }
        Ok(import)
    }

    fn example(&self) -> Saved {
        json!({ "my_plugin": { "rate": 0.01, "steps": 1000 } })
    }
}
