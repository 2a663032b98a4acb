//! The keepers of a run while it runs: those of `[checkpointing]` and those of `[[keeper]]`.

use pleach_config::run::{Checkpointing, Run};
use pleach_core::kinds::keeper::KeeperConfig;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{Action, Candidate, Error, Result, Saved};
use std::any::Any;
use std::collections::BTreeMap;

/// All keepers, each under a key that outlives the process.
pub struct Keep {
    keepers: Vec<(String, KeeperConfig, Box<dyn Any + Send>)>,
}

impl Keep {
    /// Starts all keepers.
    ///
    /// # Errors
    /// A built-in keeper is not linked into this program.
    pub fn start(run: &Run, _info: &RunInfo) -> Result<Self> {
        let mut all = familiar(&run.checkpointing)?;
        all.extend(run.keeper.iter().cloned());
        let keepers = all
            .into_iter()
            .enumerate()
            .map(|(i, keeper)| {
                let state = keeper.start();
                (format!("{i}-{}", keeper.name()), keeper, state)
            })
            .collect();
        Ok(Self { keepers })
    }

    /// The steps that any of them wants.
    pub fn hold(&mut self, candidate: &Candidate, info: &RunInfo) -> Action {
        self.keepers.iter_mut().flat_map(|(_, keeper, state)| keeper.hold(&mut **state, candidate, info)).collect()
    }

    /// Their states as data.
    pub fn save(&self) -> Result<BTreeMap<String, Saved>> {
        self.keepers.iter().map(|(key, keeper, state)| Ok((key.clone(), keeper.save(&**state)?))).collect()
    }

    /// All of them go on from saved states.
    ///
    /// # Errors
    /// The keepers of the run are not those of the checkpoint.
    pub fn restore(&mut self, saved: &BTreeMap<String, Saved>) -> Result<()> {
        for (key, keeper, state) in &mut self.keepers {
            let from = saved.get(key).ok_or_else(|| {
                Error::new("PL0507", format!("the checkpoint knows nothing of the keeper {key}"))
                    .hint("a run goes on with the keepers with which it began")
            })?;
            *state = keeper.restore(from).map_err(|e| e.context(format!("restoring the keeper {key}")))?;
        }
        Ok(())
    }
}

/// The keepers that `[checkpointing]` stands for.
fn familiar(c: &Checkpointing) -> Result<Vec<KeeperConfig>> {
    let epochs = Value::Int(i64::from(c.every_n_epochs));
    let mut all = Vec::new();
    if c.save_top_k != 0 && c.every_n_epochs > 0 {
        for metric in &c.monitor {
            let keys = [
                ("monitor", Value::Str(metric.clone())),
                ("save_top_k", Value::Int(c.save_top_k)),
                ("every_n_epochs", epochs.clone()),
            ];
            all.push(named("BestK", keys)?);
        }
    }
    if c.save_last {
        let steps = c.every_n_steps.map(|n| ("every_n_steps", Value::Int(i64::try_from(n).unwrap_or(i64::MAX))));
        all.push(named("Last", steps)?);
    }
    Ok(all)
}

fn named(name: &str, keys: impl IntoIterator<Item = (&'static str, Value)>) -> Result<KeeperConfig> {
    let place = Place { source: 0, start: 0, end: 0 };
    let keys = std::iter::once(("name", Value::Str(name.to_owned()))).chain(keys);
    let entries = keys.map(|(key, value)| (Key { name: key.to_owned(), place }, Node { value, place })).collect();
    let mut reader = Reader::default();
    let node = Node { value: Value::Table(Table { entries }), place };
    KeeperConfig::read(&node, &mut reader).ok_or_else(|| {
        let why = reader.diagnostics.first().map(|d| d.message.clone()).unwrap_or_default();
        Error::new("PL0103", format!("`[checkpointing]` needs the keeper {name}: {why}"))
    })
}
