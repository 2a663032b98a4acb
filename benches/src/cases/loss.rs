//! Losses, forward and backward to the prediction, by the kernels seat.

use super::{Run, classes, mask, noise};
use pleach_backends::Cpu;
use pleach_core::kinds::loss::value;
use pleach_core::{Error, Loss, LossInput, Named, Plug, Result, Var};
use pleach_losses as _;

pub fn open(name: &str) -> Result<Run> {
    let many = name.ends_with("21");
    let loss = match name {
        "bce" => "BCE",
        "dice" => "Dice",
        "dicebce" => "Dice+BCE",
        "tversky" => "Tversky",
        "focal_tversky" => "FocalTversky",
        "ce21" => "CrossEntropy",
        "dicece21" => "CE+Dice",
        _ => return Err(Error::new("PL0101", format!("there is no case `{name}`"))),
    };
    let loss = Plug::<dyn Loss>::named(loss)?;
    let (x, target) = match many {
        true => (noise(&[8, 21, 256, 256])?, classes(&[8, 256, 256], 21)?),
        false => (noise(&[8, 1, 352, 352])?, mask(&[8, 1, 352, 352], 0.3)?),
    };
    let x = Var::from_tensor(&x)?;
    let targets = Named::one(loss.wants().target.key(), target);
    Ok(Box::new(move || {
        let value = value(&*loss, &LossInput { prediction: &x, targets: &targets }, &Cpu {})?;
        Ok(pleach_ops::backward(&value).map(drop)?)
    }))
}
