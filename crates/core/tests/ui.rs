//! What is no plugin does not compile, and the compiler says why.
#![allow(missing_docs)]

#[test]
fn misuse_of_the_attributes_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
