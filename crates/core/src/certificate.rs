//! What replays of golden files have shown of a plugin, so that a crate ships the proof with the code.

use crate::registry::Entry;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The library, or whatever else made a golden file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// Its name: "torch".
    pub name: String,
    /// Its version.
    pub version: String,
    /// Other libraries that had a part in it, with their versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, String>,
}

impl Reference {
    /// "torch 2.15.0 (with torchvision 0.30.0)".
    pub fn words(&self) -> String {
        let with: Vec<_> = self.with.iter().filter(|(name, _)| **name != self.name).collect();
        let with: Vec<_> = with.into_iter().map(|(name, version)| format!("{name} {version}")).collect();
        let others = if with.is_empty() { String::new() } else { format!(" (with {})", with.join(", ")) };
        format!("{} {}{others}", self.name, self.version)
    }
}

/// How far a plugin is from a reference, over the cases of one golden file that have one tolerance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The plugin's kind.
    pub kind: String,
    /// `crate/Name`.
    pub plugin: String,
    /// The golden file's name, without its folder.
    pub file: String,
    /// What made the file.
    pub reference: Reference,
    /// How many cases were replayed, all within the tolerance.
    pub cases: usize,
    /// What is tolerated at a number `b` of the reference, in words.
    pub tolerance: String,
    /// The largest |a - b|.
    pub largest_error: f64,
    /// The largest share of what is tolerated.
    pub largest_share: f64,
}

/// The text of a crate's `certificates.json`.
#[derive(Serialize, Deserialize)]
pub struct Certificates {
    /// All of them.
    pub certificates: Vec<Certificate>,
}

/// The certificates that a crate ships; [`certificates!`](crate::certificates) submits them.
#[derive(Debug)]
pub struct Shipped {
    /// The crate.
    pub krate: &'static str,
    /// What `pleach certify --record` wrote.
    pub text: &'static str,
}

inventory::collect!(Shipped);

/// Ships the certificates of a crate's plugins: `certificates!(include_str!("../certificates.json"));`.
#[macro_export]
macro_rules! certificates {
    ($text:expr) => {
        $crate::export::inventory::submit! {
            $crate::certificate::Shipped { krate: env!("CARGO_PKG_NAME"), text: $text }
        }
    };
}

type Read = Result<Vec<Certificate>>;

fn shipped() -> &'static [(&'static str, Read)] {
    static ALL: OnceLock<Vec<(&'static str, Read)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<_> = inventory::iter::<Shipped>.into_iter().map(|s| (s.krate, read(s))).collect();
        all.sort_by_key(|(krate, _)| *krate);
        all
    })
}

fn read(shipped: &Shipped) -> Read {
    let all: Certificates = serde_json::from_str(shipped.text).map_err(|e| {
        Error::new("PL0213", format!("the certificates of {} cannot be read: {e}", shipped.krate))
            .hint("write them anew: pleach certify FILE... --record certificates.json")
    })?;
    Ok(all.certificates)
}

/// The certificates of a plugin. Only its own crate speaks for it.
///
/// # Errors
/// What the crate ships cannot be read.
pub fn of(entry: &Entry) -> Result<Vec<&'static Certificate>> {
    let mut found = Vec::new();
    for (_, read) in shipped().iter().filter(|(krate, _)| *krate == entry.krate) {
        let all = read.as_ref().map_err(Clone::clone)?;
        found.extend(all.iter().filter(|c| c.kind == entry.kind && c.plugin == entry.qualified()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_an_error_of_its_crate() {
        let e = read(&Shipped { krate: "acme", text: "{" }).unwrap_err();
        assert!(e.code() == "PL0213" && e.to_string().contains("acme"), "{e}");
    }
}
