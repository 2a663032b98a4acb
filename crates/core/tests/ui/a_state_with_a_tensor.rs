use pleach_core::state;

#[state]
struct Averages {
    mean: pleach_core::Tensor,
}

fn main() {}
