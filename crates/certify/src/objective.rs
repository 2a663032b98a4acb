//! Functions of the parameters that a golden file names, for optimizers that evaluate loss and gradient themselves.
//!
//! Over all values x_0 ... x_(n-1) of the parameters in their order, with a factor s, in f64:
//!
//! - `quadratic`: s / 2 sum over i of (i + 1) (x_i - 1)^2
//! - `rosenbrock`: s sum over i < n - 1 of 5 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2

use crate::keys::{Keys, number, wrong};
use pleach_core::Result;
use serde_json::Value as Json;

#[derive(Debug, Clone, Copy)]
enum Form {
    Quadratic,
    Rosenbrock,
}

/// One of the functions with its factor.
#[derive(Debug, Clone, Copy)]
pub struct Objective {
    form: Form,
    scale: f64,
}

impl Objective {
    pub(crate) fn read(json: Json) -> Result<Self> {
        let mut keys = Keys::new("`objective`", json)?;
        let form = match keys.text("name")?.as_str() {
            "quadratic" => Form::Quadratic,
            "rosenbrock" => Form::Rosenbrock,
            _ => return Err(wrong("objective.name", "\"quadratic\" or \"rosenbrock\"")),
        };
        let scale = keys.maybe("scale").map_or(Ok(1.0), |json| number("scale", &json))?;
        keys.end()?;
        Ok(Self { form, scale })
    }

    /// Loss and gradient.
    pub fn evaluate(&self, x: &[f64]) -> (f64, Vec<f64>) {
        let mut grad = vec![0.0; x.len()];
        let mut loss = 0.0;
        match self.form {
            Form::Quadratic => {
                for (i, (x, g)) in x.iter().zip(&mut grad).enumerate() {
                    let c = i as f64 + 1.0;
                    loss += 0.5 * c * (x - 1.0).powi(2);
                    *g = c * (x - 1.0);
                }
            }
            Form::Rosenbrock => {
                let mut bend_before = 0.0;
                for (i, g) in grad.iter_mut().enumerate() {
                    *g = 10.0 * bend_before;
                    if let (Some(now), Some(next)) = (x.get(i), x.get(i + 1)) {
                        let (bend, away) = (next - now * now, 1.0 - now);
                        loss += 5.0 * bend * bend + away * away;
                        *g += -20.0 * now * bend - 2.0 * away;
                        bend_before = bend;
                    }
                }
            }
        }
        grad.iter_mut().for_each(|g| *g *= self.scale);
        (self.scale * loss, grad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn gradients_are_those_of_the_losses() {
        for name in ["quadratic", "rosenbrock"] {
            let f = Objective::read(json!({ "name": name, "scale": -0.7 })).unwrap();
            let x = [0.3, -1.2, 0.8, 2.0];
            let (_, grad) = f.evaluate(&x);
            for (i, g) in grad.iter().enumerate() {
                let at = |h: f64| {
                    let mut x = x;
                    x[i] += h;
                    f.evaluate(&x).0
                };
                let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((g - slope).abs() < 1e-6 * slope.abs().max(1.0), "{name} {i}: {g} is not {slope}");
            }
        }
    }
}
