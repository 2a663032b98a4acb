//! The keys of a case, taken out one by one, so that one that nobody takes is an error and not ignored.

use pleach_core::diagnostic::nearest;
use pleach_core::{DType, Error, Result};
use serde_json::{Map, Value as Json};

/// The keys of a case, or of an object in it.
pub(crate) struct Keys {
    what: String,
    left: Map<String, Json>,
    known: Vec<&'static str>,
}

/// A value is not what it must be.
pub(crate) fn wrong(what: &str, must: &str) -> Error {
    Error::new("PL0362", format!("`{what}` must be {must}"))
}

/// Lists do not fit each other.
pub(crate) fn misfit(message: String) -> Error {
    Error::new("PL0363", message)
}

impl Keys {
    pub fn new(what: &str, json: Json) -> Result<Self> {
        match json {
            Json::Object(left) => Ok(Self { what: what.to_owned(), left, known: Vec::new() }),
            _ => Err(wrong(what, "an object")),
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.left.contains_key(key)
    }

    /// Takes a key that may be absent.
    pub fn maybe(&mut self, key: &'static str) -> Option<Json> {
        self.known.push(key);
        self.left.shift_remove(key)
    }

    /// Takes a key that must be there.
    pub fn want(&mut self, key: &'static str) -> Result<Json> {
        self.maybe(key).ok_or_else(|| Error::new("PL0362", format!("{} has no `{key}`", self.what)))
    }

    pub fn text(&mut self, key: &'static str) -> Result<String> {
        match self.want(key)? {
            Json::String(text) => Ok(text),
            _ => Err(wrong(key, "a string")),
        }
    }

    pub fn list(&mut self, key: &'static str) -> Result<Vec<Json>> {
        list(key, self.want(key)?)
    }

    pub fn numbers(&mut self, key: &'static str) -> Result<Vec<f64>> {
        numbers(key, &self.want(key)?)
    }

    pub fn maybe_numbers(&mut self, key: &'static str) -> Result<Option<Vec<f64>>> {
        self.maybe(key).map(|json| numbers(key, &json)).transpose()
    }

    pub fn maybe_whole<T: TryFrom<u64>>(&mut self, key: &'static str) -> Result<Option<T>> {
        match self.maybe(key) {
            None | Some(Json::Null) => Ok(None),
            Some(json) => whole(key, &json).map(Some),
        }
    }

    pub fn whole<T: TryFrom<u64>>(&mut self, key: &'static str) -> Result<T> {
        whole(key, &self.want(key)?)
    }

    pub fn shape(&mut self, key: &'static str) -> Result<Vec<usize>> {
        shape(key, &self.want(key)?)
    }

    /// "float32" if it is absent.
    pub fn dtype(&mut self) -> Result<DType> {
        match self.maybe("dtype") {
            None => Ok(DType::F32),
            Some(Json::String(s)) if s == "float32" => Ok(DType::F32),
            Some(Json::String(s)) if s == "float64" => Ok(DType::F64),
            Some(_) => Err(wrong("dtype", "\"float32\" or \"float64\"")),
        }
    }

    /// Refuses what has not been taken.
    pub fn end(self) -> Result<()> {
        let Some(key) = self.left.keys().next() else { return Ok(()) };
        let error = Error::new("PL0362", format!("{} has an unknown key, `{key}`", self.what));
        Err(match nearest(key, self.known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("known here: {}", self.known.join(", "))),
        })
    }
}

pub(crate) fn list(what: &str, json: Json) -> Result<Vec<Json>> {
    match json {
        Json::Array(list) => Ok(list),
        _ => Err(wrong(what, "a list")),
    }
}

pub(crate) fn number(what: &str, json: &Json) -> Result<f64> {
    json.as_f64().ok_or_else(|| wrong(what, "a number, or a list of numbers"))
}

pub(crate) fn numbers(what: &str, json: &Json) -> Result<Vec<f64>> {
    let list = json.as_array().ok_or_else(|| wrong(what, "a list of numbers"))?;
    list.iter().map(|x| number(what, x)).collect()
}

/// One number stands for a list of one.
pub(crate) fn one_or_more(what: &str, json: &Json) -> Result<Vec<f64>> {
    match json {
        Json::Array(_) => numbers(what, json),
        one => Ok(vec![number(what, one)?]),
    }
}

pub(crate) fn whole<T: TryFrom<u64>>(what: &str, json: &Json) -> Result<T> {
    let whole = json.as_u64().and_then(|n| T::try_from(n).ok());
    whole.ok_or_else(|| wrong(what, "a whole number that is not too large"))
}

pub(crate) fn wholes<T: TryFrom<u64>>(what: &str, json: &Json) -> Result<Vec<T>> {
    let list = json.as_array().ok_or_else(|| wrong(what, "a list of whole numbers"))?;
    list.iter().map(|x| whole(what, x)).collect()
}

pub(crate) fn shape(what: &str, json: &Json) -> Result<Vec<usize>> {
    wholes(what, json)
}

/// Holds a list against a shape.
pub(crate) fn fits(what: &str, count: usize, shape: &[usize]) -> Result<()> {
    if shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)) == Some(count) {
        return Ok(());
    }
    Err(misfit(format!("`{what}` has {count} numbers, which is not the shape {shape:?}")))
}
