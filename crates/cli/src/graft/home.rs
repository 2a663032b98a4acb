//! Where pleach itself comes from when a binary is built: the registry, or a checkout.

use super::quoted;
use pleach_core::{Error, Result};
use std::path::{Path, PathBuf};

/// Where pleach's crates are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// On the registry, in this version.
    Registry(String),
    /// In a checkout of pleach's workspace.
    Checkout(PathBuf),
}

impl Home {
    /// The registry, in the version of this program.
    pub fn registry() -> Self {
        Self::Registry(env!("CARGO_PKG_VERSION").to_owned())
    }

    /// A checkout.
    ///
    /// # Errors
    /// There is none at that path.
    pub fn checkout(path: &Path) -> Result<Self> {
        let found = path.canonicalize().ok().filter(|p| p.join("crates/core/Cargo.toml").is_file());
        found.map(Self::Checkout).ok_or_else(|| {
            Error::new("PL0172", format!("`{}` is no checkout of pleach", path.display()))
                .hint("`--core` wants the folder that has `crates/core` in it")
        })
    }

    /// What a command was told, or else where a plugin crate has its pleach-core, or else the registry.
    ///
    /// # Errors
    /// There is no checkout at the path, or two crates have two.
    pub fn find(said: Option<&Path>, scions: &[super::Scion]) -> Result<Self> {
        if let Some(path) = said {
            return Self::checkout(path);
        }
        let mut found: Option<(&str, PathBuf)> = None;
        for scion in scions {
            let Some(core) = scion.core() else { continue };
            let Some(root) = core.parent().and_then(Path::parent) else { continue };
            match &found {
                Some((first, other)) if *other != root => {
                    return Err(Error::new(
                        "PL0173",
                        format!(
                            "two versions of pleach-core: `{first}` has that of `{}`, `{}` that of `{}`",
                            other.display(),
                            scion.name,
                            root.display()
                        ),
                    )
                    .hint("one program has one core: let both depend on the same"));
                }
                Some(_) => {}
                None => found = Some((&scion.name, root.to_owned())),
            }
        }
        found.map_or_else(|| Ok(Self::registry()), |(_, root)| Self::checkout(&root))
    }

    /// The right-hand side of a dependency on one of pleach's crates.
    pub fn dependency(&self, short: &str) -> String {
        match self {
            Self::Registry(version) => quoted(&format!("={version}")),
            Self::Checkout(root) => {
                format!("{{ path = {} }}", quoted(&root.join("crates").join(short).display().to_string()))
            }
        }
    }

    /// The versions with which pleach itself is tested, where they are known.
    pub fn lock(&self) -> Option<PathBuf> {
        match self {
            Self::Registry(_) => None,
            Self::Checkout(root) => Some(root.join("Cargo.lock")).filter(|p| p.is_file()),
        }
    }

    /// Lets crates that want pleach from the registry have that of the checkout.
    pub fn patches(&self, mut wanted: Vec<String>) -> String {
        let Self::Checkout(root) = self else { return String::new() };
        wanted.sort_unstable();
        wanted.dedup();
        let mut lines = String::new();
        for name in wanted {
            let Some(short) = name.strip_prefix("pleach-") else { continue };
            let path = ["crates", "plugins"].iter().map(|d| root.join(d).join(short)).find(|p| p.is_dir());
            if let Some(path) = path {
                lines.push_str(&format!("{name} = {{ path = {} }}\n", quoted(&path.display().to_string())));
            }
        }
        if lines.is_empty() { lines } else { format!("\n[patch.crates-io]\n{lines}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_pleach_is_no_checkout() {
        let dir = tempfile::tempdir().unwrap();
        let e = Home::checkout(dir.path()).unwrap_err();
        assert!(e.code() == "PL0172" && e.to_string().contains("crates/core"), "{e}");
    }

    #[test]
    fn a_path_is_written_as_toml_has_it() {
        let home = Home::Checkout(PathBuf::from("/a \"b\"\\c"));
        let line: toml::Table = toml::from_str(&format!("x = {}", home.dependency("core"))).unwrap();
        let path = Path::new("/a \"b\"\\c").join("crates").join("core");
        assert_eq!(line["x"]["path"].as_str(), path.to_str());
    }
}
