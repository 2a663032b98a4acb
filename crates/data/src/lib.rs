//! Sources, decoding, order and batching: bytes in, rows out.

pub mod decode;
pub mod files;
pub mod idx;
pub mod loader;
pub mod masks;
pub mod order;
pub mod pairs;
mod queue;
pub mod sources;
pub mod split;

pub use decode::Channels;
pub use loader::{Dataloader, Epoch, LoadedBatch, Loader, OnError};
pub use order::{Order, Permutation, Shuffle};
pub use sources::{ClassFolders, Digits, Idx, ImageFiles, ImageMasks, Part};
pub use split::Subset;
