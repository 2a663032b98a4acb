//! Every parameter of every model takes part: none is without gradient, none has a gradient that is zero everywhere.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{build, floats, image, named, normal, spec, training};
use pleach_core::{DType, Model};
use pleach_models::layers::Norm;
use pleach_models::{ConvNet, ResNet50, UNet, Up};

fn reaches_every_parameter(what: &str, model: &dyn Model, shape: &[usize]) {
    let (params, net) = build(model, &spec(3), DType::F64);
    let out = net.forward(&image(shape, DType::F64), &mut training()).unwrap();
    let logits = out.want("logits").unwrap();
    let loss = (logits * normal(logits.dims(), DType::F64)).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap();
    for (name, weight) in params.trainable() {
        let grad = grads.get(weight.var()).unwrap_or_else(|| panic!("{what}: {name} has no gradient"));
        assert_eq!(grad.dims(), weight.var().dims(), "{what}: {name}");
        let grad = floats(grad);
        assert!(grad.iter().all(|g| g.is_finite()), "{what}: the gradient of {name} is not finite");
        assert!(grad.iter().any(|g| *g != 0.0), "{what}: the gradient of {name} is zero everywhere");
    }
}

#[test]
fn gradients_reach_every_parameter_of_resnets() {
    for name in ["ResNet18", "ResNet34", "ResNet50"] {
        reaches_every_parameter(name, &*named(name), &[2, 3, 40, 64]);
    }
}

#[test]
fn gradients_reach_every_parameter_of_the_deepest_resnet() {
    reaches_every_parameter("ResNet101", &*named("ResNet101"), &[2, 3, 40, 64]);
}

#[test]
fn gradients_reach_every_parameter_of_a_dilated_resnext() {
    let model = ResNet50 {
        groups: 2,
        width_per_group: 4,
        replace_stride_with_dilation: [false, true, true],
        ..ResNet50::default()
    };
    reaches_every_parameter("ResNeXt", &model, &[2, 3, 32, 33]);
}

#[test]
fn gradients_reach_every_parameter_of_a_unet_whatever_its_norm_and_its_way_up() {
    for norm in [Some(Norm::Batch), Some(Norm::Group), Some(Norm::Instance), None] {
        for up in [Up::Transpose, Up::Bilinear, Up::Nearest] {
            let model = UNet { channels: vec![4, 8, 12], norm, groups: 2, up, dropout: 0.0 };
            reaches_every_parameter(&format!("{model:?}"), &model, &[2, 3, 13, 18]);
        }
    }
}

#[test]
fn gradients_reach_every_parameter_of_a_convnet() {
    for norm in [Some(Norm::Batch), Some(Norm::Group), Some(Norm::Instance), None] {
        let model = ConvNet { channels: vec![8, 16], norm, ..ConvNet::default() };
        reaches_every_parameter(&format!("{model:?}"), &model, &[2, 3, 8, 8]);
    }
}
