//! A plugin crate that is wanted in a binary: a folder, or a crate of the registry in a version.

use super::quoted;
use pleach_core::{Error, Result};
use std::path::{Path, PathBuf};

/// One `--with`.
#[derive(Debug, Clone)]
pub struct Scion {
    /// The package's name.
    pub name: String,
    from: From,
}

#[derive(Debug, Clone)]
enum From {
    /// A folder with its manifest.
    Folder(PathBuf, toml::Table),
    /// A version of the registry.
    Registry(String),
}

impl Scion {
    /// Reads `path/to/crate` or `crate@1.2.3`.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let path = Path::new(text);
        if path.join("Cargo.toml").is_file() {
            return Self::folder(path);
        }
        let e = Error::new("PL0171", format!("`--with {text}` names no crate"));
        match text.split_once('@') {
            Some((name, version)) if !name.is_empty() && !name.contains(['/', '\\']) && is_version(version) => {
                Ok(Self { name: name.to_owned(), from: From::Registry(version.to_owned()) })
            }
            Some((_, version)) if !is_version(version) => Err(e.hint(format!("`{version}` is no version"))),
            _ if path.is_dir() => Err(e.hint("the folder has no Cargo.toml")),
            _ => Err(e.hint("write the path of its folder, or CRATE@VERSION: `acme-losses@0.3.1`")),
        }
    }

    /// A crate in a folder.
    ///
    /// # Errors
    /// Its manifest is missing, or has no package.
    pub fn folder(path: &Path) -> Result<Self> {
        let wrong = |why: String| Error::new("PL0171", format!("`{}`: {why}", path.join("Cargo.toml").display()));
        let path = path.canonicalize().map_err(|e| wrong(e.to_string()))?;
        let text = std::fs::read_to_string(path.join("Cargo.toml")).map_err(|e| wrong(e.to_string()))?;
        let manifest: toml::Table = toml::from_str(&text).map_err(|e| wrong(e.message().to_owned()))?;
        let name = manifest.get("package").and_then(|p| p.get("name")).and_then(toml::Value::as_str);
        let name = name.ok_or_else(|| wrong("this manifest has no package".into()))?.to_owned();
        Ok(Self { name, from: From::Folder(path, manifest) })
    }

    /// The right-hand side of the dependency.
    pub fn dependency(&self) -> String {
        match &self.from {
            From::Folder(path, _) => format!("{{ path = {} }}", quoted(&path.display().to_string())),
            // A whole version is that version and no other; the lock holds what a part of one leaves open.
            From::Registry(version) if version.matches('.').count() >= 2 => quoted(&format!("={version}")),
            From::Registry(version) => quoted(version),
        }
    }

    /// Where its manifest has pleach-core, if that is a folder.
    pub fn core(&self) -> Option<PathBuf> {
        let From::Folder(folder, manifest) = &self.from else { return None };
        let path = manifest.get("dependencies")?.get("pleach-core")?.get("path")?.as_str()?;
        folder.join(path).canonicalize().ok()
    }

    /// The crates of pleach that it wants from the registry.
    pub fn wanted_of_registry(&self) -> Vec<String> {
        let From::Folder(_, manifest) = &self.from else { return vec!["pleach-core".to_owned()] };
        let all = manifest.get("dependencies").and_then(toml::Value::as_table);
        let of_registry = |spec: &toml::Value| spec.get("path").is_none() && spec.get("git").is_none();
        let pleach = all.into_iter().flatten().filter(|(n, spec)| n.starts_with("pleach-") && of_registry(spec));
        pleach.map(|(name, _)| name.clone()).collect()
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_folder_nor_crate_is_told() {
        let dir = tempfile::tempdir().unwrap();
        for (text, hint) in [
            ("acme", "CRATE@VERSION"),
            ("./nowhere", "CRATE@VERSION"),
            ("acme@", "no version"),
            ("acme@latest", "no version"),
            (dir.path().to_str().unwrap(), "no Cargo.toml"),
        ] {
            let e = Scion::parse(text).unwrap_err();
            assert!(e.code() == "PL0171" && e.to_string().contains(hint), "{text}: {e}");
        }
    }

    #[test]
    fn a_folder_says_where_its_core_is_and_what_it_wants_of_the_registry() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("core")).unwrap();
        let text = "[package]\nname = \"a\"\n[dependencies]\npleach-core = { path = \"core\" }\npleach-ops = \"0.1\"\n";
        std::fs::write(dir.path().join("Cargo.toml"), text).unwrap();
        let scion = Scion::parse(dir.path().to_str().unwrap()).unwrap();
        assert_eq!(scion.core(), Some(dir.path().canonicalize().unwrap().join("core")));
        assert_eq!(scion.wanted_of_registry(), ["pleach-ops"]);
    }

    #[test]
    fn a_manifest_that_is_no_package_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        assert!(Scion::parse(dir.path().to_str().unwrap()).unwrap_err().to_string().contains("no package"));
    }
}
