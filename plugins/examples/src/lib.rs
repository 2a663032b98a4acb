//! Five plugins as an author outside of pleach writes them: this crate knows `pleach-core` alone.
//!
//! ```sh
//! pleach graft --with plugins/examples --core . -o my-pleach
//! ./my-pleach describe AsymmetricFocal
//! ```

mod asymmetric_focal;
mod brier_score;
mod cosine_floors;
mod cut_out;
mod evo_sign;

pleach_core::certificates!(include_str!("../certificates.json"));
