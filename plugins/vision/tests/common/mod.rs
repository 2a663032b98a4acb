//! Rows, and a net and a loss small enough to reckon by hand.
#![allow(dead_code, clippy::unwrap_used)]

use pleach_core::image::{Image, Pixels};
use pleach_core::kinds::loss::{LossConfig, LossSlot};
use pleach_core::*;

/// A net whose output is the tensor it holds.
pub struct Says(pub Tensor);

impl Net for Says {
    fn forward(&self, _: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        Ok(Named::one("logits", self.0.clone()))
    }
}

/// The mean of a prediction; refuses one that does not have the shape that its target asks for.
#[plugin(loss)]
pub struct MeanOfClasses {}

impl Loss for MeanOfClasses {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: Target::Class }
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        let (mut dims, target) = (x.prediction.dims().to_vec(), x.target(Target::Class)?);
        dims.remove(1);
        assert_eq!((target.dims(), target.dtype()), (dims.as_slice(), DType::U32));
        Ok(x.prediction.mean_all()?)
    }
}

/// The mean of a prediction; refuses one that is not of its mask's shape.
#[plugin(loss)]
pub struct MeanOfMask {}

impl Loss for MeanOfMask {
    fn wants(&self) -> Wants {
        Wants { form: Form::Logits, target: Target::Mask }
    }
    fn forward(&self, x: &LossInput<'_>) -> Result<Tensor> {
        assert_eq!(x.target(Target::Mask)?.dims(), x.prediction.dims());
        Ok(x.prediction.mean_all()?)
    }
}

#[derive(Debug)]
struct NoKernels;

impl Backend for NoKernels {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

/// The task's objective where the net says `output`.
pub fn objective(task: &dyn Task, batch: &Batch, output: Tensor, losses: &[&str]) -> Result<Objective> {
    let losses: Vec<LossConfig> =
        losses.iter().map(|name| Slot { slot: LossSlot::default(), plug: Plug::named(name).unwrap() }).collect();
    let mut cx = Cx::eval();
    let net = Says(output);
    task.objective(&mut StepCx { net: &net, batch, cx: &mut cx, losses: &losses, kernels: &NoKernels })
}

pub fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
}

/// A row of frames of the given sizes (width, height, channels), whose samples count upwards from 0.
pub fn row(key: &str, frames: &[(usize, usize, usize)]) -> Row {
    let frame = |(i, &(w, h, c)): (usize, &(usize, usize, usize))| {
        let pixels = Pixels::U8((0..w * h * c).map(|x| (x % 256) as u8).collect());
        Frame { number: i as u32, image: Image::new(w, h, c, pixels).unwrap() }
    };
    Row::new(SampleId { index: 0, key: key.into() }, frames.iter().enumerate().map(frame).collect())
}

pub fn labelled(key: &str, class: u32) -> Row {
    let mut row = row(key, &[(3, 2, 3)]);
    row.labels.class = Some(class);
    row
}

pub fn map(frame: u32, width: usize, classes: &[u16]) -> Map {
    Map { frame, width, height: classes.len() / width, classes: classes.to_vec(), scores: vec![] }
}

pub fn data(classes: &[&str]) -> DataInfo {
    let classes = classes.iter().map(|&c| c.to_owned()).collect();
    DataInfo { classes, channels: 3, frames: 1, ..DataInfo::default() }
}

pub fn cx(data: &DataInfo) -> CollateCx<'_> {
    CollateCx { device: &Device::Cpu, dtype: DType::F32, data }
}
