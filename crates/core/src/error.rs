//! Errors as values: a code, a sentence, where it happened, and what to do about it.

use std::fmt;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Which part of a run is at fault; it decides the exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The run itself failed (exit code 1).
    Run,
    /// The configuration is wrong (exit code 2).
    Config,
    /// The data is wrong (exit code 3).
    Data,
    /// The user interrupted (exit code 130).
    Interrupted,
}

/// An error with a code (`PL0301`), a message, the context it passed through, and a hint.
///
/// Codes: `PL01xx` configuration, `PL02xx` plugins and tensors, `PL03xx` data, `PL04xx` training,
/// `PL05xx` run folders and checkpoints.
#[derive(Debug, Clone)]
pub struct Error(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: &'static str,
    class: Class,
    message: String,
    context: Vec<String>,
    hint: Option<String>,
}

impl Error {
    /// An error of the given code; its class follows from the code's hundreds.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        let class = match code.as_bytes().get(2..4) {
            Some(b"01") => Class::Config,
            Some(b"03") => Class::Data,
            _ => Class::Run,
        };
        Self(Box::new(Parts { code, class, message: message.into(), context: Vec::new(), hint: None }))
    }

    /// The user asked the run to end.
    pub fn interrupted(message: impl Into<String>) -> Self {
        let mut error = Self::new("PL0401", message);
        error.0.class = Class::Interrupted;
        error
    }

    /// Adds what was being done, innermost first.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        self.0.context.push(doing.into());
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error under another class.
    #[must_use]
    pub fn with_class(mut self, class: Class) -> Self {
        self.0.class = class;
        self
    }

    /// The code, such as `PL0301`.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Which part of the run is at fault.
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// The sentence without code and context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What was being done, innermost first.
    pub fn contexts(&self) -> &[String] {
        &self.0.context
    }

    /// What the user can do, if known.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.0.code, self.0.message)?;
        for doing in &self.0.context {
            write!(f, "\n   while {doing}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "\n   = {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<candle_core::Error> for Error {
    fn from(e: candle_core::Error) -> Self {
        // candle appends a backtrace to its text when the environment asks for one.
        let text = e.to_string();
        Self::new("PL0201", text.lines().next().unwrap_or_default())
    }
}

/// Adds context to the error of a result.
pub trait Context<T> {
    /// Says what was being done when the error arose.
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| e.into().context(doing()))
    }
}
