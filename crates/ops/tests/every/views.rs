//! Tensors that are views of others: transposed, cut out of larger ones, broadcast.

use crate::common::{Seed, flat};
use crate::table::{Entry, cotangent, forward_and_back, table};
use candle_core::{Tensor, Var};

/// Equal but for the order in which a product of matrices adds up, which hangs on how they lie.
fn near(got: &Tensor, want: &Tensor) -> bool {
    let (got, want) = (flat(got), flat(want));
    got.len() == want.len() && got.iter().zip(&want).all(|(g, w)| (g - w).abs() <= 1e-12 * (1.0 + w.abs()))
}

/// What `e` gives and what becomes of the gradient of `base`, where input `i` is a view of it.
fn through(
    e: &Entry,
    inputs: &[Tensor],
    i: usize,
    base: &Tensor,
    view: impl Fn(&Tensor) -> Tensor,
) -> (Tensor, Tensor) {
    let base = Var::from_tensor(base).unwrap();
    let mut args = inputs.to_vec();
    args[i] = view(base.as_tensor());
    assert_eq!(flat(&args[i]), flat(&inputs[i]), "{}: a view of the same elements", e.name);
    let y = (e.run)(&args).unwrap_or_else(|error| panic!("{}: {error}", e.name));
    let loss = (&y * cotangent(&y)).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap();
    (y, grads.get(base.as_tensor()).unwrap().clone())
}

#[test]
fn every_operation_reads_transposed_and_narrowed_views() {
    for e in table() {
        let inputs = e.small();
        let (y, grads) = forward_and_back(&e, &inputs);
        for (i, grad) in grads.iter().enumerate() {
            let rank = inputs[i].rank();
            let same = |what: &str, got: &Tensor, want: &Tensor| {
                assert!(near(got, want), "{}: input {i} {what}: {got} for {want}", e.name);
            };
            if rank > 1 {
                let turned = inputs[i].transpose(rank - 2, rank - 1).unwrap().contiguous().unwrap();
                let (got, g) = through(&e, &inputs, i, &turned, |t| t.transpose(rank - 2, rank - 1).unwrap());
                same("transposed", &got, &y);
                same("transposed", &g.transpose(rank - 2, rank - 1).unwrap(), grad);
            }
            for dim in 0..rank {
                let n = inputs[i].dims()[dim];
                let mut shape = inputs[i].dims().to_vec();
                shape[dim] = 1;
                let more = Seed(5).tensor(&shape);
                let large = Tensor::cat(&[&more, &inputs[i], &more], dim).unwrap();
                let (got, g) = through(&e, &inputs, i, &large, |t| t.narrow(dim, 1, n).unwrap());
                same("narrowed", &got, &y);
                same("narrowed", &g.narrow(dim, 1, n).unwrap(), grad);
                let beside = flat(&g.narrow(dim, 0, 1).unwrap());
                assert!(beside.iter().all(|&v| v == 0.0), "{}: a gradient beside the view", e.name);
            }
        }
    }
}

#[test]
fn every_operation_reads_broadcast_views() {
    for e in table() {
        let small = e.small();
        for i in 0..small.len() {
            for dim in 0..small[i].rank() {
                let one = small[i].narrow(dim, 0, 1).unwrap().contiguous().unwrap();
                let mut inputs = small.clone();
                inputs[i] = one.broadcast_as(small[i].shape()).unwrap().force_contiguous().unwrap();
                let (y, grads) = forward_and_back(&e, &inputs);
                let (got, g) = through(&e, &inputs, i, &one, |t| t.broadcast_as(small[i].shape()).unwrap());
                let want = grads[i].sum_keepdim(dim).unwrap();
                assert!(near(&got, &y) && near(&g, &want), "{}: input {i} broadcast along {dim}", e.name);
            }
        }
    }
}
