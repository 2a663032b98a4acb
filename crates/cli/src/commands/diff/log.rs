//! Where the logs of two runs part.

use serde_json::{Value as Json, json};

/// What a log says of steps, validations and epochs.
pub struct Log(Vec<Event>);

struct Event {
    kind: String,
    step: u64,
    epoch: u64,
    /// What was measured, and the rates.
    values: Vec<(String, Json)>,
}

impl Log {
    /// The events of a log; a last line that was cut off is none.
    pub fn read(text: &str) -> Self {
        Self(text.lines().filter_map(|line| Event::read(&serde_json::from_str(line).ok()?)).collect())
    }

    fn steps(&self) -> u64 {
        self.0.iter().map(|e| e.step).max().unwrap_or_default()
    }
}

impl Event {
    fn read(line: &Json) -> Option<Self> {
        let kind = line.get("event")?.as_str().filter(|k| ["step", "validation", "epoch", "skipped"].contains(k))?;
        let number = |key: &str| line.get(key).and_then(Json::as_u64).unwrap_or_default();
        let mut values: Vec<(String, Json)> = line
            .get("metrics")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        values.extend(line.get("lr").map(|lr| ("lr".to_owned(), lr.clone())));
        Some(Self { kind: kind.to_owned(), step: number("step"), epoch: number("epoch"), values })
    }

    fn place(&self) -> String {
        match self.kind.as_str() {
            "step" => format!("step {}", self.step),
            "skipped" => format!("the step left out after step {}", self.step),
            other => format!("the {other} at step {}", self.step),
        }
    }
}

/// Where two logs part.
pub enum Parting {
    /// They are equal as far as both go.
    Never {
        /// Steps of each.
        steps: (u64, u64),
    },
    /// Something else was measured.
    At {
        /// "step 7".
        place: String,
        step: u64,
        epoch: u64,
        /// What differs: name, and what each has.
        values: Vec<(String, Option<Json>, Option<Json>)>,
    },
}

/// The first event in which two logs differ.
pub fn part(a: &Log, b: &Log) -> Parting {
    for (a, b) in a.0.iter().zip(&b.0) {
        let mut values = Vec::new();
        if (&a.kind, a.step) != (&b.kind, b.step) {
            values.push(("event".to_owned(), Some(json!(a.place())), Some(json!(b.place()))));
        } else {
            let names = a.values.iter().chain(b.values.iter().filter(|(n, _)| !a.values.iter().any(|(m, _)| m == n)));
            for (name, _) in names {
                let of = |e: &Event| e.values.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
                if of(a) != of(b) {
                    values.push((name.clone(), of(a), of(b)));
                }
            }
        }
        if !values.is_empty() {
            return Parting::At { place: a.place(), step: a.step, epoch: a.epoch, values };
        }
    }
    Parting::Never { steps: (a.steps(), b.steps()) }
}

impl Parting {
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Never { steps: (a, b) } if a == b => vec![format!("log: equal in all {a} steps")],
            Self::Never { steps: (a, b) } => {
                vec![format!("log: equal in the {} steps that both have; a has {a}, b has {b}", a.min(b))]
            }
            Self::At { place, epoch, values, .. } => {
                let mut lines = vec![format!("log: equal before {place} (epoch {epoch}), where they part:")];
                let width = values.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
                let shown = |v: &Option<Json>| v.as_ref().map_or_else(|| "-".to_owned(), Json::to_string);
                lines.extend(values.iter().map(|(n, a, b)| format!("  {n:width$}  {}  |  {}", shown(a), shown(b))));
                lines
            }
        }
    }

    pub fn json(&self) -> Json {
        match self {
            Self::Never { steps: (a, b) } => json!({ "parts": false, "steps": { "a": a, "b": b } }),
            Self::At { step, epoch, values, .. } => {
                let values: Vec<_> = values.iter().map(|(n, a, b)| json!({ "key": n, "a": a, "b": b })).collect();
                json!({ "parts": true, "step": step, "epoch": epoch, "values": values })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(losses: &[f64]) -> Log {
        let line = |(i, loss): (usize, &f64)| {
            let step = i + 1;
            format!(
                "{{\"event\":\"step\",\"step\":{step},\"epoch\":0,\"metrics\":{{\"train_loss\":{loss}}},\"lr\":[0.1],\"wall\":{{\"seconds\":{step}}}}}\n"
            )
        };
        Log::read(&losses.iter().enumerate().map(line).collect::<String>())
    }

    #[test]
    fn logs_part_where_the_first_number_differs_and_not_where_the_clock_does() {
        let Parting::At { step, values, .. } = part(&log(&[1.0, 0.5, 0.2]), &log(&[1.0, 0.5, 0.3])) else { panic!() };
        assert_eq!((step, values.len()), (3, 1));
        assert_eq!(values[0].0, "train_loss");
        let same = part(&log(&[1.0, 0.5]), &log(&[1.0, 0.5]));
        assert_eq!(same.lines(), ["log: equal in all 2 steps"]);
    }

    #[test]
    fn the_shorter_of_two_equal_logs_is_no_difference_in_what_both_have() {
        assert_eq!(
            part(&log(&[1.0, 0.5]), &log(&[1.0])).lines(),
            ["log: equal in the 1 steps that both have; a has 2, b has 1"]
        );
    }
}
