//! A golden file: what made it, and its cases.

use pleach_core::certificate::Reference;
use pleach_core::{Error, Result};
use serde_json::{Map, Value as Json};
use std::path::Path;

/// A golden file.
#[derive(Debug)]
pub struct Golden {
    /// What made it.
    pub reference: Reference,
    /// Its cases, in order.
    pub cases: Vec<Case>,
}

/// One case of a golden file, not yet understood.
#[derive(Debug, Clone)]
pub struct Case(pub(crate) Json);

impl Golden {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be opened, is no JSON, has no reference or no cases.
    pub fn read(path: &Path) -> Result<Self> {
        let doing = |e: Error| e.context(format!("reading `{}`", path.display()));
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::new("PL0360", format!("cannot read `{}`: {e}", path.display())))?;
        Self::parse(&text).map_err(doing)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// See [`read`](Self::read).
    pub fn parse(text: &str) -> Result<Self> {
        let json: Json = serde_json::from_str(text).map_err(|e| {
            let error = Error::new("PL0361", format!("this is no JSON: {e}"));
            if e.is_eof() {
                error.hint("the file ends too early: was it written to its end?")
            } else {
                error.hint("JSON has no NaN and no Infinity: write null, or leave the number out")
            }
        })?;
        let Json::Object(mut top) = json else {
            return Err(bare("a list or a number"));
        };
        let reference = reference(&top)?;
        match top.remove("cases") {
            Some(Json::Array(cases)) if !cases.is_empty() => {
                Ok(Self { reference, cases: cases.into_iter().map(Case).collect() })
            }
            Some(Json::Array(_)) => Err(Error::new("PL0365", "a golden file without cases proves nothing")),
            _ => Err(bare("without a list of `cases`")),
        }
    }
}

fn bare(what: &str) -> Error {
    Error::new("PL0362", format!("a golden file cannot be {what}"))
        .hint("it is {\"reference\": {\"name\": ..., \"version\": ...}, \"cases\": [...]}")
}

fn reference(top: &Map<String, Json>) -> Result<Reference> {
    if let Some(version) = top.get("torch").and_then(Json::as_str) {
        return Ok(Reference { name: "torch".into(), version: version.into(), with: Default::default() });
    }
    let reference = top.get("reference").ok_or_else(|| bare("without a `reference`"))?;
    serde_json::from_value(reference.clone())
        .map_err(|_| bare("of a reference without `name` and `version`, both in quotes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Golden::parse(text).unwrap_err().code()
    }

    #[test]
    fn both_heads_are_read() {
        let short = Golden::parse(r#"{"torch": "2.15.0+cpu", "cases": [{}]}"#).unwrap();
        assert_eq!(short.reference.words(), "torch 2.15.0+cpu");
        let head = r#"{"name": "a", "version": "1", "with": {"b": "2"}}"#;
        let long = Golden::parse(&format!(r#"{{"reference": {head}, "cases": [{{}}]}}"#)).unwrap();
        assert_eq!(long.reference.words(), "a 1 (with b 2)");
    }

    #[test]
    fn what_is_no_golden_file_is_refused_with_a_code() {
        assert_eq!(code(r#"{"torch": "2", "cases": [{"name""#), "PL0361");
        assert_eq!(code(r#"{"torch": "2", "cases": [NaN]}"#), "PL0361");
        assert_eq!(code("[]"), "PL0362");
        assert_eq!(code(r#"{"cases": [{}]}"#), "PL0362");
        assert_eq!(code(r#"{"reference": {"name": "a"}, "cases": [{}]}"#), "PL0362");
        assert_eq!(code(r#"{"torch": "2", "cases": 7}"#), "PL0362");
        assert_eq!(code(r#"{"torch": "2", "cases": []}"#), "PL0365");
    }
}
