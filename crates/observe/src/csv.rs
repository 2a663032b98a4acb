//! `metrics.csv`: one row for each epoch, for spreadsheets and plotting programs.

use crate::replace::replace;
use pleach_core::kinds::observer::RunInfo;
use pleach_core::{Control, Event, Observer, Result, Saved, Watcher, plugin, saved, state};
use std::path::PathBuf;

/// The name of the table in a run's folder.
pub const TABLE: &str = "metrics.csv";

/// Writes `metrics.csv` into the run's folder: a row for each epoch (counted from 0) with the step at its
/// end, the learning rate of its last step, and all its metrics.
///
/// A metric that appears later adds a column; cells without a value are empty. The file is
/// written anew and moved into place at each epoch, so it is whole at any moment.
#[plugin(observer, alias = ["CSVLogger"])]
pub struct Csv {}

impl Observer for Csv {
    fn start(&self, run: &RunInfo) -> Result<Box<dyn Watcher>> {
        let writer = Writer { path: run.dir.join(TABLE), table: Table::default() };
        writer.write()?;
        Ok(Box::new(writer))
    }
}

struct Writer {
    path: PathBuf,
    table: Table,
}

/// The table so far.
#[state]
#[derive(Default)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Row>,
    lr: Vec<f64>,
}

#[state]
struct Row {
    epoch: u32,
    step: u64,
    cells: Vec<Option<f64>>,
}

impl Table {
    fn put(&mut self, cells: &mut Vec<Option<f64>>, column: &str, value: f64) {
        let at = self.columns.iter().position(|c| c == column).unwrap_or_else(|| {
            self.columns.push(column.to_owned());
            self.columns.len() - 1
        });
        cells.resize(cells.len().max(at + 1), None);
        if let Some(cell) = cells.get_mut(at) {
            *cell = Some(value);
        }
    }
}

impl Writer {
    fn write(&self) -> Result<()> {
        let mut text = String::from("epoch,step");
        for column in &self.table.columns {
            text.push(',');
            text.push_str(&quoted(column));
        }
        text.push('\n');
        for row in &self.table.rows {
            text.push_str(&format!("{},{}", row.epoch, row.step));
            for at in 0..self.table.columns.len() {
                text.push(',');
                // The shortest digits that read back to the same number.
                text.push_str(&row.cells.get(at).copied().flatten().map(|x| format!("{x:?}")).unwrap_or_default());
            }
            text.push('\n');
        }
        replace(&self.path, text.as_bytes())
    }
}

impl Watcher for Writer {
    fn on(&mut self, event: &Event<'_>, _: &mut Control<'_>) -> Result<()> {
        match *event {
            Event::Step { lr, .. } => self.table.lr = lr.to_vec(),
            Event::Epoch { step, epoch, metrics, .. } => {
                let mut cells = Vec::new();
                for (group, lr) in self.table.lr.clone().into_iter().enumerate() {
                    let column = if group == 0 { "lr".into() } else { format!("lr_{group}") };
                    self.table.put(&mut cells, &column, lr);
                }
                for (name, value) in metrics.iter() {
                    self.table.put(&mut cells, name, *value);
                }
                self.table.rows.push(Row { epoch, step, cells });
                self.write()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn save(&self) -> Result<Saved> {
        saved::save(&self.table)
    }

    fn restore(&mut self, saved: &Saved) -> Result<()> {
        self.table = saved::load(saved)?;
        self.write()
    }
}

/// A name as RFC 4180 wants it where it holds a comma, a quote or a line break.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pleach_core::{DType, Device, Named, Params};

    #[test]
    fn columns_grow_and_empty_cells_stay_empty() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunInfo { dir: dir.path().to_owned(), ..RunInfo::default() };
        let params = Params::new(0, DType::F32, &Device::Cpu);
        let mut csv = Csv {}.start(&run).unwrap();
        let rows: [&[(&str, f64)]; 2] =
            [&[("train_loss", 0.5)], &[("train_loss", f64::NAN), ("val_iou \"a, b\"", 1e-7)]];
        for (epoch, row) in rows.into_iter().enumerate() {
            let metrics: Named<f64> = row.iter().copied().collect();
            let event = Event::Epoch { step: 7, epoch: epoch as u32, metrics: &metrics, seconds: 1.0, waited: 0.0 };
            csv.on(&event, &mut Control { params: &params, stop: None, notes: Vec::new() }).unwrap();
        }
        let text = std::fs::read_to_string(dir.path().join(TABLE)).unwrap();
        assert_eq!(text, "epoch,step,train_loss,\"val_iou \"\"a, b\"\"\"\n0,7,0.5,\n1,7,NaN,1e-7\n");
    }
}
