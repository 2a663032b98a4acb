//! Optimizers that users know from PyTorch and that cannot be here.

pleach_core::absent!(
    "optimizer",
    "SparseAdam",
    "it is for sparse gradients, and no gradient here is sparse",
    "write `Adam`"
);
