//! The three passes of single convolutions.

use super::{Run, noise};
use pleach_core::{Error, Result};
use pleach_ops::{Conv2d, conv2d, conv2d_input, conv2d_weight};

/// Name; batch, channels in and out, kernel, stride, padding, side.
const SHAPES: &[(&str, [usize; 7])] = &[
    ("3x3", [4, 64, 64, 3, 1, 1, 64]),
    ("7x7s2", [4, 3, 64, 7, 2, 3, 224]),
    ("1x1", [8, 256, 64, 1, 1, 0, 28]),
    ("3x3s2", [8, 64, 128, 3, 2, 1, 56]),
    ("deep3x3", [8, 512, 512, 3, 1, 1, 7]),
];

pub fn open(name: &str) -> Result<Run> {
    let unknown = || Error::new("PL0101", format!("there is no convolution `{name}`"));
    let (shape, pass) = name.split_once('/').ok_or_else(unknown)?;
    let [n, ci, co, k, s, p, side] = SHAPES.iter().find(|(name, _)| *name == shape).ok_or_else(unknown)?.1;
    let (x, w) = (noise(&[n, ci, side, side])?, noise(&[co, ci, k, k])?);
    let how = Conv2d { stride: [s, s], padding: [p, p], ..Conv2d::default() };
    if pass == "forward" {
        return Ok(Box::new(move || Ok(conv2d(&x, &w, None, &how).map(drop)?)));
    }
    let dy = noise(conv2d(&x, &w, None, &how)?.dims())?;
    match pass {
        "dx" => Ok(Box::new(move || Ok(conv2d_input(x.dims(), &w, &dy, &how).map(drop)?))),
        "dw" => Ok(Box::new(move || Ok(conv2d_weight(&x, w.dims(), &dy, &how).map(drop)?))),
        _ => Err(unknown()),
    }
}
