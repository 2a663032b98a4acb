//! Sizes of nothing and sizes beyond counting: an error that names the operation and the shapes, or the right
//! emptiness.

use crate::table::table;
use candle_core::{DType, Device, Tensor};

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap()
}

#[test]
fn a_size_of_zero_gives_an_empty_result_or_a_clear_error() {
    for e in table() {
        for i in 0..e.shapes.len() {
            for dim in 0..e.shapes[i].len() {
                let mut shape = e.shapes[i].to_vec();
                shape[dim] = 0;
                let mut inputs: Vec<Tensor> = e.shapes.iter().map(|s| zeros(s)).collect();
                inputs[i] = zeros(&shape);
                match (e.run)(&inputs) {
                    // What has no element to take from is empty, or a sum of nothing.
                    Ok(y) => {
                        let sum = y.to_dtype(DType::F64).unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap();
                        assert!(y.elem_count() == 0 || sum == 0.0, "{}: {shape:?} gives {:?}", e.name, y.dims());
                    }
                    Err(error) => {
                        let text = error.to_string();
                        assert!(text.contains(e.says()), "{} does not say its name: {text}", e.name);
                        assert!(text.contains('['), "{} says no shapes: {text}", e.name);
                    }
                }
            }
        }
    }
}

#[test]
fn an_empty_batch_passes_both_ways() {
    for e in table().into_iter().filter(|e| e.batched > 0) {
        let inputs: Vec<Tensor> = (e.shapes.iter().enumerate())
            .map(|(i, s)| if i < e.batched { zeros(&[&[0], &s[1..]].concat()) } else { zeros(s) })
            .collect();
        let vars: Vec<_> = inputs.iter().map(|t| candle_core::Var::from_tensor(t).unwrap()).collect();
        let args: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
        let y = (e.run)(&args).unwrap_or_else(|error| panic!("{}: {error}", e.name));
        assert_eq!(y.elem_count(), 0, "{}: {:?}", e.name, y.dims());
        let grads = y.sum_all().unwrap().backward().unwrap_or_else(|error| panic!("{}: {error}", e.name));
        for var in &vars {
            let grad = grads.get(var.as_tensor()).unwrap_or_else(|| panic!("{}: no gradient", e.name));
            assert_eq!(grad.dims(), var.dims(), "{}", e.name);
            let sum = grad.sum_all().unwrap().to_scalar::<f32>().unwrap();
            assert_eq!(sum, 0.0, "{}", e.name);
        }
    }
}

#[test]
fn sizes_that_no_memory_holds_are_an_error() {
    for e in table() {
        for (i, shape) in e.shapes.iter().enumerate() {
            for dim in 0..shape.len() {
                for size in [1 << 40, 1 << 62, usize::MAX] {
                    let mut inputs: Vec<Tensor> = e.shapes.iter().map(|s| zeros(s)).collect();
                    let mut large = shape.to_vec();
                    large[dim] = size;
                    // One element, seen so often: what a mistaken broadcast makes.
                    inputs[i] = zeros(&vec![1; shape.len()]).broadcast_as(large).unwrap();
                    let error = (e.run)(&inputs).map(|y| y.dims().to_vec()).unwrap_err();
                    let text = error.to_string();
                    assert!(text.contains(e.says()), "{} does not say its name: {text}", e.name);
                    assert!(text.contains(&size.to_string()), "{} does not say the shape: {text}", e.name);
                }
            }
        }
    }
}

#[test]
fn element_types_that_are_no_numbers_of_ours_are_named() {
    for e in table() {
        let inputs: Vec<Tensor> = e.shapes.iter().map(|s| zeros(s).to_dtype(DType::I64).unwrap()).collect();
        let text = (e.run)(&inputs).map(|y| y.dims().to_vec()).unwrap_err().to_string();
        assert!(text.contains(e.says()) && text.contains("I64"), "{}: {text}", e.name);
    }
}
