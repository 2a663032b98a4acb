//! Writes saved values as TOML that a person can read and the reader understands.

use pleach_core::{Error, Result, Saved};

/// The saved form of a table as a TOML document: plain keys first, then a `[header]` for each table and a
/// `[[header]]` for each item of a list of tables. What is off is written as "none".
///
/// # Errors
/// A number does not fit TOML.
pub(crate) fn document(saved: &Saved) -> Result<String> {
    let mut out = String::new();
    table(saved, "", &mut out)?;
    Ok(out)
}

fn table(saved: &Saved, path: &str, out: &mut String) -> Result<()> {
    let Some(entries) = saved.as_object() else { return Ok(()) };
    for (key, value) in entries.iter().filter(|(_, v)| !is_table(v) && !is_tables(v)) {
        out.push_str(&format!(
            "{} = {}\n",
            name(key),
            inline(value).map_err(|e| e.context(format!("writing `{key}`")))?
        ));
    }
    for (key, value) in entries {
        let path = if path.is_empty() { name(key) } else { format!("{path}.{}", name(key)) };
        if is_table(value) {
            out.push_str(&format!("\n[{path}]\n"));
            table(value, &path, out)?;
        } else if is_tables(value) {
            for item in value.as_array().into_iter().flatten() {
                out.push_str(&format!("\n[[{path}]]\n"));
                table(item, &path, out)?;
            }
        }
    }
    Ok(())
}

/// A table with a header of its own; `{"$float": ...}` is a number.
pub(crate) fn is_table(value: &Saved) -> bool {
    value.as_object().is_some_and(|o| !(o.len() == 1 && o.contains_key("$float")))
}

pub(crate) fn is_tables(value: &Saved) -> bool {
    value.as_array().is_some_and(|a| !a.is_empty() && a.iter().all(is_table))
}

pub(crate) fn inline(value: &Saved) -> Result<String> {
    Ok(match value {
        Saved::Null => "\"none\"".into(),
        Saved::Bool(b) => b.to_string(),
        Saved::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => i.to_string(),
            (None, Some(x)) if n.is_f64() => toml::Value::Float(x).to_string(),
            _ => return Err(Error::new("PL0130", format!("{n} is beyond what TOML can hold"))),
        },
        Saved::String(s) => toml::Value::String(s.clone()).to_string(),
        Saved::Array(items) => {
            let items: Vec<_> = items.iter().map(inline).collect::<Result<_>>()?;
            format!("[{}]", items.join(", "))
        }
        Saved::Object(o) => match (o.len(), o.get("$float").and_then(Saved::as_str)) {
            (1, Some(number)) => number.to_owned(),
            _ => {
                let items: Vec<_> = o
                    .iter()
                    .map(|(key, value)| Ok(format!("{} = {}", name(key), inline(value)?)))
                    .collect::<Result<_>>()?;
                format!("{{ {} }}", items.join(", "))
            }
        },
    })
}

/// A key, in quotes where TOML asks for them.
pub(crate) fn name(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !key.is_empty() && key.chars().all(bare) {
        true => key.to_owned(),
        false => format!("\"{}\"", key.chars().map(escaped).collect::<String>()),
    }
}

fn escaped(c: char) -> String {
    match c {
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        c if c.is_control() => format!("\\u{:04X}", c as u32),
        c => c.into(),
    }
}
