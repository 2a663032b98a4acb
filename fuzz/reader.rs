//! What must hold for the reader of run files, whatever it is given.

use pleach_config::explain::with_margin;
use pleach_config::{Failure, Paint, Resolved, from_text};
use std::path::Path;

/// Reads bytes as a run file and holds the answer against the laws of the reader.
pub fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match from_text("run.toml", text, Path::new("/nowhere")) {
        Ok(run) => reads_again(&run),
        Err(failure) => points_into(&failure),
    }
}

/// What is accepted reads again, from what `resolved.toml` holds and from what `pleach explain` prints, to the same run
/// and the same text.
pub fn reads_again(run: &Resolved) {
    let explained = with_margin(run, None).unwrap_or_else(|e| panic!("it cannot be explained: {e}\n{}", run.toml()));
    for (name, text) in [("resolved.toml", run.toml()), ("explained.toml", &explained)] {
        let again = from_text(name, text, Path::new("/elsewhere"))
            .unwrap_or_else(|f| panic!("{name} is refused:\n{text}\n{}", f.render(Paint::Plain)));
        assert_eq!(again.run, run.run, "{name}");
        assert_eq!(again.toml(), run.toml(), "{name}");
    }
}

/// What is refused has mistakes; each stands within its text, and at least one has a place unless all of them tell
/// of what the whole file lacks.
pub fn points_into(failure: &Failure) {
    assert!(!failure.diagnostics.is_empty());
    for place in failure.diagnostics.iter().flat_map(|d| d.place.iter().chain(d.also.iter().map(|(place, _)| place))) {
        let source = failure.sources.get(usize::from(place.source));
        let length = source.map(|source| source.text.len());
        let inside = length.is_some_and(|length| place.start <= place.end && place.end as usize <= length);
        assert!(inside, "{place:?} is not within the text of {length:?} bytes");
    }
    let of_the_file = |code: &str| matches!(code, "PL0106" | "PL0126");
    let placed = failure.diagnostics.iter().any(|d| d.place.is_some());
    let lacking = failure.diagnostics.iter().all(|d| d.place.is_none() && of_the_file(d.code));
    assert!(placed || lacking, "{}", failure.render(Paint::Plain));
    // Whatever is shown must be drawable, with and without colours, and for editors.
    assert!(!failure.render(Paint::Plain).is_empty() && !failure.render(Paint::Color).is_empty());
    assert_eq!(failure.json().as_array().map(Vec::len), Some(failure.diagnostics.len()));
}
