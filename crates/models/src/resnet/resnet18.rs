//! ResNet-18.

use super::{Classifier, LastNorm, Measures};
use pleach_core::{Model, ModelSpec, Net, Result, Scope, plugin};

/// ResNet-18 (He, Zhang, Ren and Sun), a classifier of eight blocks of two 3 x 3 convolutions, with torchvision's names.
#[plugin(model, alias = ["resnet18"], cite = "arXiv:1512.03385")]
pub struct ResNet18 {
    /// Outputs; taken from the data where not given.
    #[plugin(range = 1..)]
    pub num_classes: Option<usize>,
    /// Lets each block begin as its shortcut (arXiv:1706.02677).
    #[plugin(default = false)]
    pub zero_init_residual: bool,
}

impl Model for ResNet18 {
    fn build(&self, scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        let last_norm = LastNorm::of(self.zero_init_residual);
        let measures = Measures { last_norm, ..Measures::basic("ResNet18", [2, 2, 2, 2]) };
        Classifier::build(scope, spec, &measures, self.num_classes)
    }
}
