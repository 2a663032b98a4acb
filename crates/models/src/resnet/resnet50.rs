//! ResNet-50.

use super::{Classifier, LastNorm, Measures};
use pleach_core::{Model, ModelSpec, Net, Result, Scope, plugin};

/// ResNet-50 (He, Zhang, Ren and Sun), a classifier of sixteen bottlenecks that stride in their 3 x 3 convolution, with
/// torchvision's names. `groups` and `width_per_group` make a ResNeXt or a wide ResNet of it.
#[plugin(model, alias = ["resnet50"], cite = "arXiv:1512.03385")]
pub struct ResNet50 {
    /// Outputs; taken from the data where not given.
    #[plugin(range = 1..)]
    pub num_classes: Option<usize>,
    /// Lets each block begin as its shortcut (arXiv:1706.02677).
    #[plugin(default = false)]
    pub zero_init_residual: bool,
    /// Groups of each 3 x 3 convolution (ResNeXt, arXiv:1611.05431).
    #[plugin(default = 1, range = 1..=65536)]
    pub groups: usize,
    /// Channels of a group in the first layer (wide ResNet, arXiv:1605.07146: 128).
    #[plugin(default = 64, range = 1..=65536)]
    pub width_per_group: usize,
    /// Whether layers 2, 3 and 4 keep the size of their maps and dilate instead.
    #[plugin(default = [false; 3])]
    pub replace_stride_with_dilation: [bool; 3],
}

impl Model for ResNet50 {
    fn build(&self, scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        let measures = Measures {
            groups: self.groups,
            width_per_group: self.width_per_group,
            dilated: self.replace_stride_with_dilation,
            last_norm: LastNorm::of(self.zero_init_residual),
            ..Measures::bottleneck("ResNet50", [3, 4, 6, 3])
        };
        Classifier::build(scope, spec, &measures, self.num_classes)
    }
}
