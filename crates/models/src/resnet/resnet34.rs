//! ResNet-34.

use super::{Classifier, LastNorm, Measures};
use pleach_core::{Model, ModelSpec, Net, Result, Scope, plugin};

/// ResNet-34 (He, Zhang, Ren and Sun), a classifier of sixteen blocks of two 3 x 3 convolutions, with torchvision's names.
#[plugin(model, alias = ["resnet34"], cite = "arXiv:1512.03385")]
pub struct ResNet34 {
    /// Outputs; taken from the data where not given.
    #[plugin(range = 1..)]
    pub num_classes: Option<usize>,
    /// Lets each block begin as its shortcut (arXiv:1706.02677).
    #[plugin(default = false)]
    pub zero_init_residual: bool,
}

impl Model for ResNet34 {
    fn build(&self, scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        let last_norm = LastNorm::of(self.zero_init_residual);
        let measures = Measures { last_norm, ..Measures::basic("ResNet34", [3, 4, 6, 3]) };
        Classifier::build(scope, spec, &measures, self.num_classes)
    }
}
