//! Optimizer, scheduler, losses, augmentations and trainer of PyTorch programs, in the files of Lightning's command
//! line, of Hydra, of mmengine, and of those that people write by hand.

use crate::sections::{Sections, list, plugin, role, scheduler, value_at};
use crate::trainer;
use pleach_core::{Claim, Fate, Import, Importer, Result, Saved, plugin};
use serde_json::json;

/// Configurations of PyTorch programs: `{name, params}`, Lightning's `{class_path, init_args}`, Hydra's `_target_`, or
/// mmengine's `type`, in YAML, JSON or TOML.
///
/// Optimizer, scheduler, losses, augmentations, the keys of Lightning's Trainer with its callbacks and loggers, the
/// loader's numbers and the seed are taken wherever they stand: at the top, or among the arguments of a module. Names
/// are found without regard to the size of letters, by PyTorch's name or ours. What the author's own code would have
/// read, a net or a data module, is named as what has no counterpart.
#[plugin(importer, alias = ["Lightning", "Hydra"])]
pub struct PyTorch {}

impl Importer for PyTorch {
    fn knows(&self, document: &Saved) -> Claim {
        let Some(table) = document.as_object() else { return Claim::Nothing };
        let has = |key: &str| table.contains_key(key);
        if has("seed_everything") || has("trainer") && has("model") || has("optim_wrapper") {
            return Claim::Whole;
        }
        match table.keys().any(|key| role(key).is_some()) {
            true => Claim::Sections,
            false => Claim::Nothing,
        }
    }

    fn import(&self, document: &Saved) -> Result<Import> {
        let mut import = Import::default();
        let mut sections = Sections::default();
        sections.find(document, "", 0);
        for (path, value) in &sections.optimizers {
            plugin("optimizer", value, path, "optimizer", &mut import);
        }
        for (path, value) in &sections.schedulers {
            scheduler(value, path, &mut import);
        }
        list("loss", "loss", &sections.losses, &mut import);
        list("augmentation", "dataset.train.augment", &sections.augmentations, &mut import);
        for (path, value) in &sections.models {
            plugin("model", value, path, "model", &mut import);
        }
        for (path, value) in &sections.trainers {
            trainer::section(value, path, &mut import);
        }
        for (path, to, value) in &sections.plain {
            trainer::value(value, path, to, &mut import);
        }
        // A table whose class is nobody's here has been noted as a whole: what of it was taken is not missing.
        let inner: Vec<String> = import.fates.keys().cloned().collect();
        let split = |path: &String| inner.iter().any(|other| other.starts_with(&format!("{path}.")));
        let whole: Vec<String> = import
            .fates
            .iter()
            .filter(|(p, f)| matches!(f, Fate::Missing(_)) && split(p))
            .map(|(p, _)| p.clone())
            .collect();
        for path in whole {
            if let Some(fate) = import.fates.remove(&path) {
                for below in import.passed_over(document).into_iter().filter(|b| b.starts_with(&format!("{path}."))) {
                    import.fates.insert(below, fate.clone());
                }
            }
        }
        for path in import.passed_over(document) {
            match value_at(document, &path) {
                Some(Saved::Null) => import.anyway(path, "nothing was asked for"),
                _ => import.missing(path, "no section of a run has this key"),
            }
        }
        Ok(import)
    }

    fn example(&self) -> Saved {
        json!({
            "seed_everything": 7,
            "trainer": {
                "max_epochs": 20, "gradient_clip_val": 0.5, "logger": null,
                "callbacks": [
                    { "class_path": "lightning.pytorch.callbacks.EarlyStopping",
                      "init_args": { "monitor": "val_loss", "patience": 5 } }
                ]
            },
            "model": { "class_path": "my.Net", "init_args": { "width": 32, "loss": { "_target_": "torch.nn.CrossEntropyLoss" } } },
            "optimizer": { "class_path": "torch.optim.AdamW", "init_args": { "lr": 0.001, "betas": [0.9, 0.99] } },
            "lr_scheduler": { "class_path": "torch.optim.lr_scheduler.StepLR", "init_args": { "step_size": 10, "gamma": 0.5 } }
        })
    }
}
