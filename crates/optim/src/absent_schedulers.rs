//! Schedulers of PyTorch that a file cannot hold.

pleach_core::absent!(
    "scheduler",
    "LambdaLR",
    "its factor is a function of the user's, and a file holds no functions",
    "write it as a plugin (docs/writing-a-plugin.md has one), or take LinearLR, PolynomialLR or SequentialLR"
);
pleach_core::absent!(
    "scheduler",
    "MultiplicativeLR",
    "its factor is a function of the user's, and a file holds no functions",
    "for the same factor at every tick take ExponentialLR; else write it as a plugin (docs/writing-a-plugin.md has one)"
);
