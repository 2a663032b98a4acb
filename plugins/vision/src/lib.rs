//! Seven general vision tasks; so far classification and semantic segmentation.
