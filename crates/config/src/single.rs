//! Reads one plugin from its name and what stood behind each `--set`, for commands that need no run file.

use crate::failure::Failure;
use crate::layers;
use crate::source::Sources;
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{Kind, Plug};
use std::path::Path;

/// The plugin of a name, with values set: `plugin::<dyn DynMetric>("MeanAveragePrecision", &["iou_type=segm".into()])`.
///
/// # Errors
/// Everything that is wrong with the name and the values.
pub fn plugin<K: Kind + ?Sized>(name: &str, sets: &[String]) -> Result<Plug<K>, Failure> {
    let sources = Sources::text("command line", name, Path::new("."));
    let Sources { file, over } = sets.iter().fold(sources, |sources, set| sources.set(set));
    let sources: Vec<_> = std::iter::once(file).chain(over).collect();
    let place = Place { source: 0, start: 0, end: u32::try_from(name.len()).unwrap_or(u32::MAX) };
    let mut root = Table::default();
    root.set(Key { name: "name".into(), place }, Node { value: Value::Str(name.to_owned()), place });
    let mut wrong = Vec::new();
    layers::lay(&mut root, (1u16..).zip(sources.iter().skip(1).map(|s| s.text.as_str())), &mut wrong);
    let mut r = Reader::new(sources.iter().map(|s| s.base.clone()).collect());
    let plug = Plug::<K>::read(&Node { value: Value::Table(root), place }, &mut r);
    wrong.append(&mut r.diagnostics);
    match plug {
        Some(plug) if wrong.is_empty() => Ok(plug),
        _ => Err(Failure::new(wrong, sources)),
    }
}
