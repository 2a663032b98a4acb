//! What a binary with chosen plugins knows of its own making: the crates that were asked for, and the lock.

use std::collections::BTreeSet;

/// Said by the `main` that `pleach graft` writes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grafted {
    /// The plugin crates that were asked for; each must have registered something.
    pub crates: &'static [&'static str],
    /// The text of the `Cargo.lock` with which it was built; empty where it is not known.
    pub lock: &'static str,
}

/// A package of the lock.
struct Package {
    name: String,
    version: String,
    has_core: bool,
}

impl Grafted {
    /// What is wrong with the making, given the crates that have registered plugins.
    pub fn problems(&self, registered: &BTreeSet<&str>) -> Vec<String> {
        let silent = self.crates.iter().filter(|name| !registered.contains(**name));
        let mut all: Vec<String> = silent.map(|name| silence(name)).collect();
        let packages = self.packages();
        let cores: Vec<_> = packages.iter().filter(|p| p.name == "pleach-core").map(|p| p.version.as_str()).collect();
        if cores.len() > 1 {
            all.push(format!(
                "two versions of pleach-core are in this program ({}): each sees its own plugins alone; let all plugin \
                 crates depend on one",
                cores.join(", ")
            ));
        }
        all
    }

    /// What may be meant so, or forgotten.
    pub fn remarks(&self, registered: &BTreeSet<&str>) -> Vec<String> {
        let packages = self.packages();
        let quiet = packages.iter().filter(|p| {
            let own = p.name.starts_with("pleach-") || self.crates.contains(&p.name.as_str());
            p.has_core && !own && !registered.contains(p.name.as_str())
        });
        let words = |p: &Package| {
            format!(
                "{} {} uses pleach-core and registers nothing; a crate of plugins is named by `--with`",
                p.name, p.version
            )
        };
        // The program itself uses the command line and not the core.
        quiet.map(words).collect()
    }

    fn packages(&self) -> Vec<Package> {
        let lock: toml::Table = toml::from_str(self.lock).unwrap_or_default();
        let list =
            |of: &toml::Value, key: &str| of.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let text =
            |of: &toml::Value, key: &str| of.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        let one = |p: &toml::Value| Package {
            name: text(p, "name"),
            version: text(p, "version"),
            has_core: list(p, "dependencies")
                .iter()
                .filter_map(toml::Value::as_str)
                .any(|d| d.split(' ').next() == Some("pleach-core")),
        };
        lock.get("package").and_then(toml::Value::as_array).into_iter().flatten().map(one).collect()
    }
}

/// A crate that is linked, and of which nothing is seen.
pub fn silence(name: &str) -> String {
    format!(
        "{name} is linked but registers nothing: does its lib.rs name the module, and has a struct there `#[plugin(kind)]`?"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
[[package]]
name = "pleach-core"
version = "0.1.0"

[[package]]
name = "pleach-core"
version = "0.2.0"

[[package]]
name = "acme"
version = "1.2.3"
dependencies = ["pleach-core 0.1.0", "serde"]

[[package]]
name = "acme-words"
version = "1.0.0"
dependencies = ["serde"]
"#;

    #[test]
    fn a_crate_without_plugins_and_two_cores_are_problems() {
        let grafted = Grafted { crates: &["acme", "quiet"], lock: LOCK };
        let problems = grafted.problems(&BTreeSet::from(["acme"])).join("\n");
        assert!(problems.contains("quiet is linked but registers nothing"), "{problems}");
        assert!(problems.contains("(0.1.0, 0.2.0)") && !problems.contains("acme is linked"), "{problems}");
    }

    #[test]
    fn a_crate_that_uses_the_core_and_is_not_named_is_remarked() {
        let grafted = Grafted { crates: &[], lock: LOCK };
        let remarks = grafted.remarks(&BTreeSet::new());
        assert!(remarks.len() == 1 && remarks[0].starts_with("acme 1.2.3 uses"), "{remarks:?}");
        assert!(grafted.remarks(&BTreeSet::from(["acme"])).is_empty());
    }

    #[test]
    fn a_program_of_three_lines_has_no_lock_and_no_complaint() {
        assert!(Grafted::default().problems(&BTreeSet::new()).is_empty());
    }
}
