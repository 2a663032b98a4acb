//! Laws of tasks.

use super::{Bench, Law};
use crate::fault::{Check, Fault, ensure};
use pleach_core::image::{Image, Pixels};
use pleach_core::{
    Batch, CollateCx, DType, DataInfo, Device, Frame, Instance, Map, Named, Plug, Purpose, Result, Rng, RotBox, Row,
    SampleId, Task, Tensor,
};

/// Batches hold what was promised.
pub const GIVES: Law = Law {
    name: "a batch holds an input and, where the rows know them, every target that the task says it gives",
    why: "losses are held against what a task says before anything runs",
    write: "a target under `Target::key` for each of `gives().targets`",
};

/// Rows stay in order.
pub const IN_ORDER: Law = Law {
    name: "a decoder gives one row for each row of the batch, in their order and under their names",
    why: "metrics hold each prediction against the truth at the same place",
    write: "`Row::prediction(of)` for each of `batch.rows`, in order",
};

/// No batch is an error.
pub const EMPTY: Law = Law {
    name: "no rows, and rows without frames, are errors",
    why: "a panic in collation ends a run without the name of the sample",
    write: "an `Err` with the sample's key before the first index or stack",
};

const ROWS: usize = 3;
const SIDE: usize = 16;

pub(super) fn laws(bench: &mut Bench, plug: &Plug<dyn Task>) {
    // A task of two classes may refuse three, and one of many two.
    let Some(data) = [3, 2].into_iter().map(info).find(|data| plug.model_spec(data).is_ok()) else { return };
    let cx = CollateCx { device: &Device::Cpu, dtype: DType::F32, data: &data };
    let rows = match rows(data.classes.len() as u32) {
        Ok(rows) => rows,
        Err(_) => return,
    };
    bench.check(&GIVES, || {
        let batch = plug.collate(rows.clone(), &cx)?;
        ensure(!batch.inputs.is_empty(), || "a batch has no input".into())?;
        ensure(batch.rows.len() == ROWS, || format!("{ROWS} rows became a batch of {}", batch.rows.len()))?;
        let missing: Vec<_> =
            plug.gives().targets.into_iter().map(|t| t.key()).filter(|key| batch.targets.get(key).is_none()).collect();
        ensure(missing.is_empty(), || format!("the batch has no target `{}`", missing.join("`, `")))
    });
    bench.check(&EMPTY, || {
        ensure(plug.collate(Vec::new(), &cx).is_err(), || "no rows became a batch".into())?;
        let blind: Vec<Row> = rows.iter().map(Row::prediction).collect();
        ensure(plug.collate(blind, &cx).is_err(), || "rows without frames became a batch".into())
    });
    bench.check(&IN_ORDER, || {
        let Ok(batch) = plug.collate(rows.clone(), &cx) else { return Ok(()) };
        in_order(plug, &data, &batch)
    });
}

fn info(classes: u32) -> DataInfo {
    let classes = (0..classes).map(|c| format!("class {c}")).collect();
    DataInfo { classes, channels: 1, frames: 1, size: Some((SIDE, SIDE)), ignore_index: None }
}

/// Rows of which everything is known.
fn rows(classes: u32) -> Result<Vec<Row>> {
    let mut rng = Rng::named(4, Purpose::Other, "tasks");
    (0..ROWS)
        .map(|index| {
            let pixels = (0..SIDE * SIDE).map(|_| rng.below(256) as u8).collect();
            let frame = Frame { number: 0, image: Image::new(SIDE, SIDE, 1, Pixels::U8(pixels))? };
            let mut row = Row::new(SampleId { index: index as u64, key: format!("row {index}").into() }, vec![frame]);
            let class = index as u32 % classes;
            row.labels.class = Some(class);
            row.values = vec![index as f32];
            let classes = (0..SIDE * SIDE).map(|_| rng.below(u64::from(classes)) as u16).collect();
            row.maps = vec![Map { frame: 0, width: SIDE, height: SIDE, classes, scores: Vec::new() }];
            let bbox = Some(RotBox::from_corners(2.0, 2.0, 9.0, 9.0));
            row.instances = vec![Instance { class, track: Some(0), bbox, ..Instance::default() }];
            Ok(row)
        })
        .collect()
}

/// The outputs of a net are of the task's own shape: a vector for a row, or a map. One of them is the right one.
fn in_order(plug: &Plug<dyn Task>, data: &DataInfo, batch: &Batch) -> Check {
    let channels = plug.model_spec(data)?.out_channels;
    let mut refused = Vec::new();
    for shape in [vec![ROWS, channels], vec![ROWS, channels, SIDE, SIDE]] {
        let outputs = Named::one("logits", Tensor::zeros(shape.as_slice(), DType::F32, &Device::Cpu)?);
        match plug.decoder(data).decode(&outputs, batch) {
            Err(e) => refused.push(format!("{shape:?}: {}", e.message())),
            Ok(predicted) => {
                let names = |rows: &[Row]| rows.iter().map(|r| r.id.clone()).collect::<Vec<_>>();
                let (found, wanted) = (names(&predicted), names(&batch.rows));
                return ensure(found == wanted, || format!("the rows {wanted:?} are predicted as {found:?}"));
            }
        }
    }
    // A task whose outputs are of no such shape is seen in whole runs alone.
    ensure(refused.len() == 2, || Fault(refused.join("\n")).0)
}
