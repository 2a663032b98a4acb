//! Layers and networks with torchvision's parameter names, so that its weights load by name.
//!
//! [`layers`] hold the weights and call `pleach_ops`; [`ResNet18`] to [`ResNet101`], [`UNet`] and [`ConvNet`] are
//! plugins of the kind `model`; [`resnet::ResNet`] is the backbone for nets that want its feature maps.

mod convnet;
mod input;
pub mod layers;
pub mod resnet;
mod unet;

pub use convnet::ConvNet;
pub use resnet::resnet18::ResNet18;
pub use resnet::resnet34::ResNet34;
pub use resnet::resnet50::ResNet50;
pub use resnet::resnet101::ResNet101;
pub use unet::{UNet, Up};
