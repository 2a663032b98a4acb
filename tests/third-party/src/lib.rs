//! One plugin of each kind, by somebody who knows pleach-core and nothing else.

mod acme_file;
mod bell;
mod blobs;
mod brightest_side;
mod count_rows;
mod darken;
mod every_second;
mod halve_at;
mod hit_rate;
mod perceptron;
mod quiet;
mod sign_sgd;
mod softmax_regression;

pleach_core::certificates!(include_str!("../certificates.json"));
