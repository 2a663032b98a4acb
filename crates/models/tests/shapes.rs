//! What goes in and what comes out, for sizes that are no powers of two, clips, and inputs that cannot be.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{build, floats, image, logits, named, spec, training};
use pleach_core::{Cx, DType, Model, ModelSpec, Named};
use pleach_models::{ConvNet, ResNet18, UNet, Up};

fn small() -> UNet {
    UNet { channels: vec![4, 6, 8, 10], ..UNet::default() }
}

#[test]
fn a_unet_gives_logits_of_its_inputs_size_whatever_it_is() {
    for up in [Up::Transpose, Up::Bilinear, Up::Nearest] {
        let (_, net) = build(&UNet { up, ..small() }, &spec(5), DType::F32);
        for (h, w) in [(8, 8), (9, 31), (15, 16), (17, 23), (64, 10)] {
            let out = logits(&*net, &[2, 3, h, w], &mut training()).unwrap();
            assert_eq!(out.dims(), [2, 5, h, w], "{up:?}");
        }
    }
}

#[test]
fn a_unet_of_one_level_keeps_the_size() {
    let (_, net) = build(&UNet { channels: vec![4], ..UNet::default() }, &spec(1), DType::F32);
    assert_eq!(logits(&*net, &[1, 3, 1, 3], &mut Cx::eval()).unwrap().dims(), [1, 1, 1, 3]);
}

#[test]
fn a_unet_sees_a_clip_frame_by_frame() {
    let clips = ModelSpec { frames: 3, ..spec(5) };
    let (_, net) = build(&small(), &clips, DType::F32);
    let clip = image(&[2, 3, 3, 9, 12], DType::F32);
    let out = net.forward(&clip, &mut Cx::eval()).unwrap().want("logits").unwrap().clone();
    assert_eq!(out.dims(), [2, 3, 5, 9, 12]);
    let frames = clip.want("image").unwrap().flatten(0, 1).unwrap();
    let single = net.forward(&Named::one("image", frames), &mut Cx::eval()).unwrap();
    assert_eq!(floats(&out), floats(single.want("logits").unwrap()));
}

#[test]
fn an_image_too_small_for_a_unet_is_refused_with_the_size_it_takes() {
    let (_, net) = build(&small(), &spec(5), DType::F32);
    let error = logits(&*net, &[1, 3, 7, 20], &mut Cx::eval()).unwrap_err();
    assert_eq!(error.message(), "UNet with 4 levels needs images of at least 8 x 8; these are 7 x 20");
}

#[test]
fn classifiers_take_any_size_and_any_number_of_channels() {
    for (name, sizes) in [("ResNet18", [(33, 47), (64, 32)]), ("ConvNet", [(8, 8), (9, 5)])] {
        let (_, net) = build(&*named(name), &ModelSpec { in_channels: 1, ..spec(7) }, DType::F32);
        for (h, w) in sizes {
            assert_eq!(logits(&*net, &[2, 1, h, w], &mut Cx::eval()).unwrap().dims(), [2, 7], "{name}");
        }
    }
}

#[test]
fn classifiers_refuse_clips_before_and_at_the_input() {
    for name in ["ResNet18", "ResNet50", "ConvNet"] {
        let mut params = pleach_core::Params::new(0, DType::F32, &common::CPU);
        let clips = ModelSpec { frames: 4, ..spec(3) };
        let error = named(name).build(params.root(), &clips).err().unwrap();
        assert_eq!(error.message(), format!("{name} takes single images; the data are clips of 4 frames"));
    }
    let (_, net) = build(&ConvNet::default(), &spec(3), DType::F32);
    let error = logits(&*net, &[2, 4, 3, 8, 8], &mut Cx::eval()).unwrap_err();
    assert_eq!(error.message(), "ConvNet takes images [N, C, H, W], not [2, 4, 3, 8, 8]");
}

#[test]
fn a_classifier_may_have_more_outputs_than_the_data_have_classes_but_not_fewer() {
    let (params, _) = build(&ResNet18 { num_classes: Some(20), ..ResNet18::default() }, &spec(3), DType::F32);
    assert_eq!(params.get("fc.bias").unwrap().var().dims(), [20]);
    let mut params = pleach_core::Params::new(0, DType::F32, &common::CPU);
    let few = ResNet18 { num_classes: Some(2), ..ResNet18::default() };
    let error = few.build(params.root(), &spec(3)).err().unwrap();
    assert_eq!(error.message(), "ResNet18 has num_classes = 2, the data have 3 classes");
}

#[test]
fn a_dilated_resnet_keeps_the_size_of_its_maps() {
    use pleach_models::resnet::{Measures, ResNet};
    let measures = Measures { dilated: [false, true, true], ..Measures::bottleneck("test", [1, 1, 1, 1]) };
    let mut params = pleach_core::Params::new(0, DType::F32, &common::CPU);
    let trunk = ResNet::new(&mut params.root(), 3, &measures).unwrap();
    let maps = trunk.features(&common::normal(&[1, 3, 64, 64], DType::F32), &Cx::eval()).unwrap();
    let sizes: Vec<_> = maps.iter().map(|m| m.dims().to_vec()).collect();
    assert_eq!(sizes, [[1, 256, 16, 16], [1, 512, 8, 8], [1, 1024, 8, 8], [1, 2048, 8, 8]]);
    assert_eq!(trunk.channels(), [256, 512, 1024, 2048]);
}
