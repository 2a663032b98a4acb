//! The laws that every plugin of a kind obeys, goldens and gradient checks.
