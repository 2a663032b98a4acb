//! Augmentations that leave something out: holes in frames, key points, instances.

mod coarse_dropout;
mod erasing;
mod fill;
mod grid_dropout;
mod holes;
mod instance_dropout;
mod node_dropout;
mod pixel_dropout;
mod random_image_drop;
mod random_rect_dropout;

pub use coarse_dropout::CoarseDropout;
pub use erasing::Erasing;
pub use fill::{Fill, RandomFill};
pub use grid_dropout::GridDropout;
pub use holes::Holes;
pub use instance_dropout::{DroppedInstances, InstanceDropout};
pub use node_dropout::{DroppedNodes, NodeDropout};
pub use pixel_dropout::{DroppedPixels, PixelDropout};
pub use random_image_drop::{DroppedFrame, RandomImageDrop};
pub use random_rect_dropout::{DroppedRects, RandomRectDropout};
