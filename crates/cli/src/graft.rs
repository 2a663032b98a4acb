//! A binary with chosen plugin crates: the crate that is generated for it.

mod cargo;
mod home;
mod scion;

pub use cargo::{Build, Profile, Registry, build};
pub use home::Home;
pub use scion::Scion;

use pleach_core::{Error, Result};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The profiles of pleach's own workspace: without them a development build of the tensors is fifty times slower.
const PROFILES: &str = include_str!("../templates/profiles.toml");

/// A crate that links pleach's command line with plugin crates.
pub struct Nursery {
    /// The name of the package and of its binary.
    pub name: String,
    /// The plugin crates.
    pub scions: Vec<Scion>,
    /// Where pleach comes from.
    pub home: Home,
    /// Where the crate is written.
    pub folder: PathBuf,
}

impl Nursery {
    /// Writes the crate; files that are as they should be keep their date, so that cargo builds nothing anew.
    ///
    /// # Errors
    /// The folder cannot be written, or two of the crates have one name.
    pub fn write(&self, lock: Option<&Path>) -> Result<()> {
        for (i, scion) in self.scions.iter().enumerate() {
            if self.scions.iter().take(i).any(|other| other.name == scion.name) {
                return Err(Error::new("PL0171", format!("two crates are called `{}`", scion.name)));
            }
        }
        let source = self.folder.join("src");
        std::fs::create_dir_all(&source).map_err(|e| cannot("create", &source, &e))?;
        put(&self.folder.join("Cargo.toml"), &self.manifest())?;
        put(&source.join("main.rs"), &self.main())?;
        let own = self.folder.join("Cargo.lock");
        match lock {
            Some(lock) => put(&own, &std::fs::read_to_string(lock).map_err(|e| cannot("read", lock, &e))?),
            None if own.exists() => std::fs::remove_file(&own).map_err(|e| cannot("remove", &own, &e)),
            None => Ok(()),
        }
    }

    fn manifest(&self) -> String {
        let mut out = format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n\
             pleach-cli = {}\n",
            self.name,
            self.home.dependency("cli")
        );
        for scion in &self.scions {
            let _ = writeln!(out, "{} = {}", scion.name, scion.dependency());
        }
        let patched: Vec<String> = self.scions.iter().flat_map(Scion::wanted_of_registry).collect();
        out.push_str(&self.home.patches(patched));
        let _ = write!(out, "\n[workspace]\n\n{PROFILES}");
        out
    }

    fn main(&self) -> String {
        let name = |s: &Scion| s.name.replace('-', "_");
        let uses: String = self.scions.iter().map(|s| format!("use {} as _;\n", name(s))).collect();
        let named: Vec<String> = self.scions.iter().map(|s| format!("{:?}", s.name)).collect();
        format!(
            "//! pleach with plugin crates grafted onto it.\n\n{uses}\n#[global_allocator]\nstatic MEMORY: \
             pleach_cli::Aligned = pleach_cli::Aligned;\n\nfn main() -> std::process::ExitCode {{\n    \
             pleach_cli::main_of(&pleach_cli::Grafted {{ crates: &[{}], lock: include_str!(\"../Cargo.lock\") }})\n}}\n",
            named.join(", ")
        )
    }
}

/// Writes a file unless it says that already.
fn put(path: &Path, text: &str) -> Result<()> {
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    std::fs::write(path, text).map_err(|e| cannot("write", path, &e))
}

/// A file or folder that cannot be had.
pub fn cannot(what: &str, path: &Path, e: &std::io::Error) -> Error {
    Error::new("PL0501", format!("cannot {what} `{}`: {e}", path.display()))
}

/// A string in TOML.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_crate_names_every_plugin_crate_and_its_lock() {
        let dir = tempfile::tempdir().unwrap();
        let scions = vec![Scion::parse("acme-losses@0.3.1").unwrap(), Scion::parse("other@0.2").unwrap()];
        let nursery = Nursery { name: "mine".into(), scions, home: Home::registry(), folder: dir.path().to_owned() };
        nursery.write(None).unwrap();
        let manifest: toml::Table = toml::from_str(&nursery.manifest()).unwrap();
        assert_eq!(manifest["dependencies"]["acme-losses"].as_str(), Some("=0.3.1"));
        assert_eq!(manifest["dependencies"]["other"].as_str(), Some("0.2"));
        let main = std::fs::read_to_string(dir.path().join("src/main.rs")).unwrap();
        assert!(main.contains("use acme_losses as _;\nuse other as _;"), "{main}");
        assert!(main.contains(r#"crates: &["acme-losses", "other"]"#), "{main}");
    }

    #[test]
    fn one_crate_named_twice_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let scions = vec![Scion::parse("a@1").unwrap(), Scion::parse("a@2").unwrap()];
        let nursery = Nursery { name: "x".into(), scions, home: Home::registry(), folder: dir.path().to_owned() };
        assert_eq!(nursery.write(None).unwrap_err().code(), "PL0171");
    }

    #[test]
    fn profiles_are_those_of_the_workspace() {
        let profiles = |text: &'static str| text.split_once("[profile.dev]").unwrap().1;
        let workspace = profiles(include_str!("../../../Cargo.toml"));
        assert_eq!(workspace, profiles(PROFILES), "templates/profiles.toml ends like Cargo.toml");
    }
}
