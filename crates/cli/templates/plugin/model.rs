use pleach_core::params::Weight;
use pleach_core::{Cx, Error, Init, Model, ModelSpec, Named, Net, Result, Scope, Tensor, plugin};

/// Two affine maps with a ReLU between them, on the flattened image.
#[plugin(model)]
pub struct MyPlugin {
    /// Numbers between the two maps.
    #[plugin(default = 32, range = 1..)]
    pub hidden: usize,
}

struct Affine {
    weight: Weight,
    bias: Weight,
}

impl Affine {
    fn new(mut scope: Scope<'_>, from: usize, to: usize) -> Result<Self> {
        let weight = scope.param("weight", (to, from), Init::pytorch_weight(from))?;
        Ok(Self { weight, bias: scope.param("bias", to, Init::Const(0.0))? })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.matmul(&self.weight.value().t()?)?.broadcast_add(&self.bias.value())?)
    }
}

struct Layers([Affine; 2]);

impl Model for MyPlugin {
    fn build(&self, mut scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        let (height, width) = spec.size.ok_or_else(|| {
            Error::new("PL0220", "MyPlugin needs images of one size").hint("put a Resize into `augment`")
        })?;
        let pixels = spec.frames.max(1) * spec.in_channels * height * width;
        let first = Affine::new(scope.at("0"), pixels, self.hidden)?;
        Ok(Box::new(Layers([first, Affine::new(scope.at("1"), self.hidden, spec.out_channels)?])))
    }
}

impl Net for Layers {
    fn forward(&self, x: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        let [first, second] = &self.0;
        let hidden = first.forward(&x.want("image")?.flatten_from(1)?)?.relu()?;
        Ok(Named::one("logits", second.forward(&hidden)?))
    }
}
