//! Every gradient against central differences.

use crate::common::gradcheck;
use crate::table::table;

#[test]
fn every_gradient_is_what_differences_say() {
    for e in table() {
        gradcheck(e.name, &e.small(), &*e.run);
    }
}
