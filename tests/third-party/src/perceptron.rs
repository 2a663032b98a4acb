use pleach_core::params::Weight;
use pleach_core::{Cx, Error, Init, Model, ModelSpec, Named, Net, Result, Scope, Tensor, plugin};

/// Two linear layers with a ReLU between them, on the flattened image.
#[plugin(model)]
pub struct Perceptron {
    /// Width of the hidden layer.
    #[plugin(default = 16, range = 1..)]
    pub hidden: usize,
}

struct Layers {
    weights: [Weight; 2],
    biases: [Weight; 2],
}

impl Model for Perceptron {
    fn build(&self, mut scope: Scope<'_>, spec: &ModelSpec) -> Result<Box<dyn Net>> {
        let (h, w) = spec.size.ok_or_else(|| Error::new("PL0220", "a Perceptron needs images of one size"))?;
        let inputs = h * w * spec.in_channels;
        let mut first = scope.at("0");
        let w0 = first.param("weight", (self.hidden, inputs), Init::pytorch_weight(inputs))?;
        let b0 = first.param("bias", self.hidden, Init::Const(0.0))?;
        let mut second = scope.at("1");
        let w1 = second.param("weight", (spec.out_channels, self.hidden), Init::pytorch_weight(self.hidden))?;
        let b1 = second.param("bias", spec.out_channels, Init::Const(0.0))?;
        Ok(Box::new(Layers { weights: [w0, w1], biases: [b0, b1] }))
    }
}

impl Net for Layers {
    fn forward(&self, x: &Named<Tensor>, _: &mut Cx) -> Result<Named<Tensor>> {
        let [w0, w1] = self.weights.each_ref().map(|w| w.value().t());
        let [b0, b1] = self.biases.each_ref().map(Weight::value);
        let hidden = x.want("image")?.flatten_from(1)?.matmul(&w0?)?.broadcast_add(&b0)?.relu()?;
        Ok(Named::one("logits", hidden.matmul(&w1?)?.broadcast_add(&b1)?))
    }
}
