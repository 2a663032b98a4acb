//! Puts pooled elements back where they stood.

use crate::host::{Host, dims4, dtype, for_float, output, slice, tensor};
use crate::{apply, fresh, sizes};
use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor, bail};

const NAME: &str = "max_unpool2d";

/// `[N, C, H, W]` to `[N, C, size[0], size[1]]`: each element goes where `indices` (`i64` or `u32`, of the same
/// shape) says, as
/// [`max_pool2d_with_indices`](crate::max_pool2d_with_indices) gives them; zeros elsewhere. Of several for one place
/// the last
/// stays, and all of them get its gradient.
///
/// Candle has none.
pub fn max_unpool2d(x: &Tensor, indices: &Tensor, size: [usize; 2]) -> Result<Tensor> {
    let [n, c, h, w] = dims4(NAME, "x", x)?;
    if indices.dims() != x.dims() {
        bail!("{NAME}: indices of the shape of x {:?} expected, got {:?}", x.dims(), indices.dims());
    }
    if !matches!(indices.dtype(), DType::U32 | DType::I64) {
        bail!("{NAME}: indices u32 or i64 expected, got {:?}", indices.dtype());
    }
    sizes::total(NAME, &[n, c, size[0], size[1]])?;
    let area = size[0] * size[1];
    let places = indices.to_dtype(DType::I64)?.flatten_all()?.to_vec1::<i64>()?;
    let places = places.into_iter().map(|i| match usize::try_from(i) {
        Ok(at) if at < area => Ok(at),
        _ => bail!("{NAME}: index {i} is not on planes of {size:?}, for x {:?}", x.dims()),
    });
    apply::one(x, Op { planes: [n, c], areas: [h * w, area], size, places: places.collect::<Result<_>>()? })
}

struct Op {
    planes: [usize; 2],
    /// Elements of a plane of the input and of the output.
    areas: [usize; 2],
    size: [usize; 2],
    places: Vec<usize>,
}

impl CustomOp1 for Op {
    fn name(&self) -> &'static str {
        NAME
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let ([n, c], [few, many]) = (self.planes, self.areas);
        for_float!(NAME, dtype(s), T => {
            let x = slice::<T>(NAME, s, l)?;
            let y = fresh::rows::<T>(n * c * many, many, |r, y| {
                let range = r * few..(r + 1) * few;
                for (&at, &x) in self.places[range.clone()].iter().zip(&x[range]) {
                    y[at] = x;
                }
            });
            Ok(output::<T>(y, (n, c, self.size[0], self.size[1])))
        })
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let [few, many] = self.areas;
        let dy = dy.contiguous()?;
        for_float!(NAME, x.dtype(), T => {
            let hdy = Host::read(NAME, &dy);
            let dys = hdy.slice::<T>()?;
            let dx = fresh::rows(self.places.len(), few, |r, dx| {
                let dy = &dys[r * many..][..many];
                for (dx, &at) in dx.iter_mut().zip(&self.places[r * few..]) {
                    *dx = dy[at];
                }
            });
            tensor::<T>(dx, x.shape()).map(Some)
        })
    }
}
