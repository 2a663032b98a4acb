//! The kernels seat on the CPU: fused losses as one differentiable operation on slices.

use candle_core::{CpuStorage, CustomOp2, Layout, Shape};
use pleach_core::image::Image;
use pleach_core::kinds::backend::FusedInput;
use pleach_core::{Backend, DType, Device, FusedLoss, FusedTouch, LossInput, Result, Seat, Target, Tensor, plugin};
use pleach_simd::par_blocks;
use std::sync::Mutex;

/// Runs the fused Rust kernels of losses and pixel passes on the CPU, in 32 bits; what has no kernel,
/// or is in other bits, runs by its definition.
#[plugin(backend)]
pub struct Cpu {}

impl Backend for Cpu {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }

    fn fused_loss(&self, loss: &FusedLoss, x: &LossInput<'_>, target: Target) -> Result<Option<Tensor>> {
        if x.prediction.dtype() != DType::F32 || !x.prediction.device().is_cpu() {
            return Ok(None);
        }
        let target = x.target(target)?.contiguous()?;
        let op = FusedOp { loss: loss.clone(), gradient: Mutex::new(None) };
        Ok(Some(x.prediction.contiguous()?.apply_op2(&target, op)?))
    }

    fn fused_touch(&self, touch: &FusedTouch, image: &Image) -> Result<Option<Image>> {
        (touch.cpu)(image).map(Some)
    }
}

/// The forward pass makes the gradient too; the backward pass hands it on, scaled where the loss has a factor.
struct FusedOp {
    loss: FusedLoss,
    gradient: Mutex<Option<Vec<f32>>>,
}

/// Elements for one thread.
const PIECE: usize = 1 << 16;

fn contiguous<'a, T: candle_core::WithDType>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [T]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a fused loss needs contiguous inputs")
    };
    Ok(&storage.as_slice::<T>()?[start..end])
}

impl CustomOp2 for FusedOp {
    fn name(&self) -> &'static str {
        self.loss.name
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let prediction: &[f32] = contiguous(s1, l1)?;
        let (target, classes): (&[f32], &[u32]) = match s2 {
            CpuStorage::U32(_) => (&[], contiguous(s2, l2)?),
            _ => (contiguous(s2, l2)?, &[]),
        };
        let input = FusedInput { prediction, shape: l1.dims(), target, classes };
        let (value, gradient) = (self.loss.cpu)(&input).map_err(candle_core::Error::wrap)?;
        if gradient.len() != prediction.len() {
            let (name, slopes, all) = (self.loss.name, gradient.len(), prediction.len());
            candle_core::bail!("the fused loss `{name}` gives a gradient of {slopes} numbers for a prediction of {all}")
        }
        if let Ok(mut slot) = self.gradient.lock() {
            *slot = Some(gradient);
        }
        Ok((CpuStorage::F32(vec![value as f32]), Shape::from(())))
    }

    fn bwd(
        &self,
        prediction: &Tensor,
        _: &Tensor,
        _: &Tensor,
        incoming: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let stash = self.gradient.lock().ok().and_then(|mut slot| slot.take());
        let Some(mut gradient) = stash else { candle_core::bail!("the gradient of a fused loss was asked for twice") };
        let factor = incoming.to_scalar::<f32>()?;
        if factor != 1.0 {
            par_blocks(&mut gradient, PIECE, |_, piece| piece.iter_mut().for_each(|g| *g *= factor));
        }
        let gradient = Tensor::from_vec(gradient, prediction.shape(), &Device::Cpu)?;
        Ok((pleach_ops::kept(prediction, Some(gradient))?, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::Named;
    use std::sync::Arc;

    #[test]
    fn a_fused_loss_is_a_differentiable_operation() {
        let body = |x: &FusedInput<'_>| {
            let gaps = x.prediction.iter().zip(x.target).map(|(p, t)| p - t);
            Ok((gaps.clone().map(|gap| f64::from(gap * gap)).sum(), gaps.map(|gap| 2.0 * gap).collect()))
        };
        let fused = FusedLoss { name: "squares", cpu: Arc::new(body) };
        let x = candle_core::Var::new(&[[1f32, 4.0], [2.0, 0.5]], &Device::Cpu).unwrap();
        // A strided view, and another use of the variable: the gradients of both add up.
        let prediction = x.as_tensor().t().unwrap();
        let targets = Named::one("mask", Tensor::new(&[[0f32, 1.0], [1.0, 0.0]], &Device::Cpu).unwrap());
        let input = LossInput { prediction: &prediction, targets: &targets };
        let value = Cpu::default().fused_loss(&fused, &input, Target::Mask).unwrap().unwrap();
        let loss = (value.affine(3.0, 0.0).unwrap() + x.as_tensor().sum_all().unwrap()).unwrap();
        let grads = loss.backward().unwrap();
        assert_eq!(value.to_scalar::<f32>().unwrap(), 1.0 + 1.0 + 9.0 + 0.25);
        assert_eq!(grads.get(&x).unwrap().to_vec2::<f32>().unwrap(), [[7.0, 19.0], [7.0, 4.0]]);
        // Without a factor, and asked for twice.
        let value = Cpu::default().fused_loss(&fused, &input, Target::Mask).unwrap().unwrap();
        assert_eq!(value.backward().unwrap().get(&x).unwrap().to_vec2::<f32>().unwrap(), [[2.0, 6.0], [2.0, 1.0]]);
        assert!(value.backward().unwrap_err().to_string().contains("twice"));
    }
}
