//! A gated recurrent unit (Cho et al. 2014) whose products with the input are made for a whole sentence at once.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Device, Tensor};

/// One layer, from the first word to the last.
#[derive(Module, Debug)]
pub struct Gru {
    /// n -> 3·width: reset, update, new.
    input: Linear,
    /// width -> 3·width
    state: Linear,
}

impl Gru {
    /// For words of `n` numbers.
    pub fn new(n: usize, width: usize, device: &Device) -> Self {
        Self {
            input: LinearConfig::new(n, 3 * width).init(device),
            state: LinearConfig::new(width, 3 * width).init(device),
        }
    }

    /// The state after every word: captions×length×n -> captions×length×width. Where `there` (captions×length, if it is given)
    /// is 0, the state is zero: what comes after begins anew.
    pub fn forward(&self, x: Tensor<3>, there: Option<Tensor<2>>) -> Tensor<3> {
        let [captions, length, _] = x.dims();
        let width = self.state.weight.dims()[0];
        let input = self.input.forward(x);
        let mut state = Tensor::<2>::zeros([captions, width], &input.device());
        let mut states = Vec::with_capacity(length);
        for place in 0..length {
            let x = input.clone().narrow(1, place, 1).squeeze_dim::<2>(1);
            let h = self.state.forward(state.clone());
            let part = |t: &Tensor<2>, k: usize| t.clone().narrow(1, k * width, width);
            let reset = sigmoid(part(&x, 0) + part(&h, 0));
            let update = sigmoid(part(&x, 1) + part(&h, 1));
            let new = tanh(part(&x, 2) + reset * part(&h, 2));
            state = new.clone() + update * (state - new);
            if let Some(there) = &there {
                state = state * there.clone().narrow(1, place, 1);
            }
            states.push(state.clone());
        }
        Tensor::stack(states, 1)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;

    use super::*;

    #[test]
    fn it_is_the_librarys_gru() {
        let _alone = crate::training::alone();
        let device = crate::device();
        device.seed(1);
        let gru = Gru::new(3, 4, &device);
        let mut other = burn::nn::gru::GruConfig::new(3, 4, true).init(&device);
        let part = |linear: &Linear, k: usize| {
            let weight = linear.weight.val().narrow(1, 4 * k, 4);
            let bias = linear.bias.as_ref().expect("a bias").val();
            (weight, bias.narrow(0, 4 * k, 4))
        };
        let set = |to: &mut Linear, from: &Linear, k: usize| {
            let (weight, bias) = part(from, k);
            to.weight = to.weight.clone().map(|_| weight);
            to.bias = to.bias.clone().map(|b| b.map(|_| bias));
        };
        macro_rules! set_gate {
            ($gate:ident, $k:expr) => {
                set(&mut other.$gate.input_transform, &gru.input, $k);
                set(&mut other.$gate.hidden_transform, &gru.state, $k);
            };
        }
        set_gate!(reset_gate, 0);
        set_gate!(update_gate, 1);
        set_gate!(new_gate, 2);
        let x = Tensor::random([2, 5, 3], burn::tensor::Distribution::Default, &device);
        let (ours, theirs) = (gru.forward(x.clone(), None), other.forward(x, None));
        ours.into_data()
            .assert_approx_eq::<f32>(&theirs.into_data(), Tolerance::default());
    }
}
