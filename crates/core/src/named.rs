//! An ordered map from names to things: the inputs and outputs of a net, the parts of a loss.

use serde::{Deserialize, Serialize};

/// Named things in the order in which they were put in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Named<T>(Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Named<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One thing.
    pub fn one(name: impl Into<String>, thing: T) -> Self {
        Self(vec![(name.into(), thing)])
    }

    /// Puts a thing in, in place of an earlier one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, thing: T) {
        let name = name.into();
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = thing,
            None => self.0.push((name, thing)),
        }
    }

    /// The thing of that name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, t)| t)
    }

    /// The thing of that name, or an error that lists what there is.
    pub fn want(&self, name: &str) -> crate::Result<&T> {
        self.get(name).ok_or_else(|| {
            let there: Vec<_> = self.names().collect();
            crate::Error::new("PL0215", format!("nothing is called `{name}` here; there is: {}", there.join(", ")))
        })
    }

    /// The first thing, which is the main one where a net has several outputs.
    pub fn first(&self) -> Option<&T> {
        self.0.first().map(|(_, t)| t)
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(n, _)| n.as_str())
    }

    /// Names and things in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(n, t)| (n.as_str(), t))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> IntoIterator for Named<T> {
    type Item = (String, T);
    type IntoIter = std::vec::IntoIter<(String, T)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<S: Into<String>, T> FromIterator<(S, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (S, T)>>(iter: I) -> Self {
        let mut all = Self::new();
        for (name, thing) in iter {
            all.insert(name, thing);
        }
        all
    }
}
