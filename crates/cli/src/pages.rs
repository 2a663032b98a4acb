//! The pages of `docs/errors`, a part of the program, so that `pleach explain PL0104` needs no file.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));
