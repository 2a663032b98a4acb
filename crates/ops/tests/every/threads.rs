//! The same bits with any number of threads.

use crate::table::{Entry, forward_and_back, table};
use candle_core::{DType, Tensor};

fn bits(e: &Entry, inputs: &[Tensor]) -> Vec<Vec<u32>> {
    let (y, grads) = forward_and_back(e, inputs);
    let bits = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect();
    std::iter::once(&y).chain(&grads).map(bits).collect()
}

#[test]
fn every_operation_gives_the_same_bits_with_any_number_of_threads() {
    let pools: Vec<_> =
        [1, 2, 3, 7].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap()).into_iter().collect();
    for e in table() {
        let inputs: Vec<Tensor> = e.large().iter().map(|t| t.to_dtype(DType::F32).unwrap()).collect();
        let all: Vec<_> = pools.iter().map(|pool| pool.install(|| bits(&e, &inputs))).collect();
        for other in &all[1..] {
            assert!(*other == all[0], "{}: the bits depend on the number of threads", e.name);
        }
    }
}
