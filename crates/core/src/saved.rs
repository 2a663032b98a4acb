//! State as data: whatever serde can describe becomes JSON that reads back to the same bits.
//!
//! JSON has no infinity and no NaN: such a number is written as `{"$float": "inf"}`. A state may hold
//! other saved states; what is written so in them becomes `{"$$float": "inf"}`, and comes back as it was.

use crate::{Error, Result};
use ciborium::Value;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json, json};

/// The key of a number that JSON does not know.
const MARK: &str = "$float";

/// Whether a key is the mark, escaped any number of times.
fn is_mark(key: &str) -> bool {
    key.strip_suffix("float").is_some_and(|dollars| !dollars.is_empty() && dollars.bytes().all(|b| b == b'$'))
}

/// A saved state.
pub type Saved = Json;

/// Turns a state into JSON, losing no number.
pub fn save<T: Serialize + ?Sized>(state: &T) -> Result<Saved> {
    let value = Value::serialized(state).map_err(|e| Error::new("PL0203", format!("a state cannot be saved: {e}")))?;
    to_json(value)
}

/// Turns JSON back into a state.
///
/// # Errors
/// A state that does not fit its type is refused, never ignored.
pub fn load<T: DeserializeOwned>(saved: &Saved) -> Result<T> {
    to_value(saved).deserialized().map_err(|e| {
        Error::new("PL0204", format!("a saved state does not fit: {e}"))
            .hint("was it saved by another version or another plugin?")
    })
}

/// The concrete state behind [`Any`](std::any::Any).
///
/// # Errors
/// It is the state of another plugin.
pub fn own<T: 'static>(state: &dyn std::any::Any) -> Result<&T> {
    state
        .downcast_ref()
        .ok_or_else(|| Error::new("PL0204", format!("a state of {} was expected", std::any::type_name::<T>())))
}

fn to_json(value: Value) -> Result<Json> {
    let odd = |what: &str| Error::new("PL0203", format!("a state cannot be saved: {what}"));
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(b),
        Value::Integer(i) => {
            let i = i128::from(i);
            match (u64::try_from(i), i64::try_from(i)) {
                (Ok(u), _) => json!(u),
                (_, Ok(i)) => json!(i),
                _ => return Err(odd("an integer of more than 64 bits")),
            }
        }
        Value::Float(x) if x.is_finite() => json!(x),
        Value::Float(x) => json!({ "$float": if x.is_nan() { "nan" } else if x > 0.0 { "inf" } else { "-inf" } }),
        Value::Text(s) => Json::String(s),
        Value::Bytes(b) => json!(b),
        Value::Array(a) => Json::Array(a.into_iter().map(to_json).collect::<Result<_>>()?),
        Value::Map(m) => {
            let mut out = Map::new();
            for (key, value) in m {
                let key = match key {
                    Value::Text(s) if is_mark(&s) => format!("${s}"),
                    Value::Text(s) => s,
                    Value::Integer(i) => i128::from(i).to_string(),
                    _ => return Err(odd("a map whose keys are neither text nor whole numbers")),
                };
                out.insert(key, to_json(value)?);
            }
            Json::Object(out)
        }
        _ => return Err(odd("a value that JSON does not know")),
    })
}

fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match (n.as_u64(), n.as_i64()) {
            (Some(u), _) => Value::Integer(u.into()),
            (_, Some(i)) => Value::Integer(i.into()),
            _ => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(s) => Value::Text(s.clone()),
        Json::Array(a) => Value::Array(a.iter().map(to_value).collect()),
        Json::Object(o) => match (o.len(), o.get(MARK).and_then(Json::as_str)) {
            (1, Some("nan")) => Value::Float(f64::NAN),
            (1, Some("inf")) => Value::Float(f64::INFINITY),
            (1, Some("-inf")) => Value::Float(f64::NEG_INFINITY),
            _ => {
                let key = |k: &str| Value::Text(if is_mark(k) && k != MARK { k[1..].to_owned() } else { k.to_owned() });
                Value::Map(o.iter().map(|(k, v)| (key(k), to_value(v))).collect())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_comes_back_to_the_bit(x in any::<f64>(), y in any::<f32>(), u in any::<u64>(), i in any::<i64>()) {
            let text = serde_json::to_string(&save(&(x, y, u, i, Some(x), None::<f64>)).unwrap()).unwrap();
            let back: (f64, f32, u64, i64, Option<f64>, Option<f64>) = load(&serde_json::from_str(&text).unwrap()).unwrap();
            prop_assert!(back.0.to_bits() == x.to_bits() || x.is_nan() && back.0.is_nan());
            prop_assert!(back.1.to_bits() == y.to_bits() || y.is_nan() && back.1.is_nan());
            prop_assert_eq!((back.2, back.3, back.5), (u, i, None));
        }

        #[test]
        fn a_saved_state_within_a_state_comes_back_at_any_depth(x in any::<f64>(), depth in 1usize..5) {
            let inner = save(&x).unwrap();
            let outer = (0..depth).fold(inner.clone(), |s, _| save(&vec![s]).unwrap());
            let back = (0..depth).fold(outer, |s, _| load::<Vec<Saved>>(&s).unwrap().remove(0));
            prop_assert_eq!(&back, &inner);
            let y: f64 = load(&back).unwrap();
            prop_assert!(y.to_bits() == x.to_bits() || x.is_nan() && y.is_nan());
        }
    }
}
