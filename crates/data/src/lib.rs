//! Sources, decoding, order and batching: bytes in, rows out.

mod cached;
pub mod coco;
pub mod decode;
pub mod files;
pub mod idx;
pub mod loader;
pub mod masks;
pub mod order;
pub mod pairs;
mod queue;
mod row_files;
pub mod scored;
pub mod sources;
pub mod split;

pub use decode::{Channels, Orientation, Reading};
pub use loader::{Dataloader, Epoch, LoadedBatch, Loader, Mixable, OnError};
pub use order::{Order, Permutation, Shuffle};
pub use sources::{ClassFolders, Coco, Digits, Idx, ImageFiles, ImageMasks, Part};
pub use split::Subset;
