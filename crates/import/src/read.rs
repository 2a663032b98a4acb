//! Reads a file of another system into data: YAML, JSON and TOML become alike.

use pleach_core::{Error, Result, Saved};
use std::path::Path;

/// The longest file that is taken for a configuration, in bytes.
const LIMIT: u64 = 16 << 20;

/// The data in a file, by the ending of its name; a file without one of the three is read as YAML, which holds JSON.
///
/// # Errors
/// It cannot be read, or is not what its name says.
pub fn document(path: &Path) -> Result<Saved> {
    let cannot = |why: String| Error::new("PL0114", format!("cannot read `{}`: {why}", path.display()));
    let meta = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => cannot("there is no such file".into()),
        _ => cannot(e.to_string()),
    })?;
    if meta.is_dir() {
        return Err(cannot("it is a folder".into()));
    }
    if meta.len() > LIMIT {
        return Err(Error::new("PL0115", format!("`{}` is no configuration: it is too long", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(|e| cannot(e.to_string()))?;
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    parsed(text, &ending).map_err(|(form, why)| {
        Error::new("PL0137", format!("`{}` is no {form}: {why}", path.display()))
            .hint("the form is told by the ending of the name: .yaml, .yml, .json or .toml")
    })
}

fn parsed(text: &str, ending: &str) -> Result<Saved, (&'static str, String)> {
    let value: Saved = match ending {
        "json" => serde_json::from_str(text).map_err(|e| ("JSON", e.to_string()))?,
        "toml" => toml::from_str(text).map_err(|e| ("TOML", e.message().to_owned()))?,
        _ => serde_saphyr::from_str(text).map_err(|e| ("YAML", first_line(&e.to_string())))?,
    };
    match value {
        Saved::Object(_) => Ok(value),
        _ => Err(("configuration", "it holds no table of sections".to_owned())),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_three_forms_are_alike_and_yaml_reads_numbers_as_people_mean_them() {
        let wanted = json!({ "optimizer": { "lr": 0.001, "betas": [0.9, 0.999], "foreach": null, "amsgrad": false } });
        let yaml = "optimizer:\n  lr: 1e-3\n  betas: [0.9, 0.999]\n  foreach: ~\n  amsgrad: false\n";
        let json = r#"{"optimizer": {"lr": 1e-3, "betas": [0.9, 0.999], "foreach": null, "amsgrad": false}}"#;
        assert_eq!(parsed(yaml, "yaml"), Ok(wanted.clone()));
        assert_eq!(parsed(json, "json"), Ok(wanted.clone()));
        assert_eq!(parsed(json, ""), Ok(wanted), "YAML holds JSON");
        assert_eq!(parsed("a = 1", "toml"), Ok(json!({ "a": 1 })));
    }

    #[test]
    fn anchors_and_merges_are_resolved() {
        let yaml = "base: &base\n  lr: 0.1\n  eps: 1.0e-8\noptimizer:\n  <<: *base\n  lr: 0.2\n";
        assert_eq!(parsed(yaml, "yml").unwrap()["optimizer"], json!({ "lr": 0.2, "eps": 1e-8 }));
    }

    #[test]
    fn what_is_no_configuration_is_refused_with_the_place() {
        for (text, ending) in [("a: [1", "yaml"), ("{", "json"), ("a = ", "toml"), ("- 1\n- 2\n", "yaml"), ("", "yaml")]
        {
            assert!(parsed(text, ending).is_err(), "{text}");
        }
    }
}
