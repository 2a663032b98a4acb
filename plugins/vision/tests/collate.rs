//! Batches hold the pixels of their rows, and what does not fit together is refused by name.
#![allow(clippy::unwrap_used)]

mod common;

use common::{cx, data, row};
use pleach_core::image::{Image, Pixels};
use pleach_core::*;
use pleach_vision::collate::images;
use proptest::prelude::*;

fn any_pixels(n: usize) -> impl Strategy<Value = Pixels> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), n).prop_map(Pixels::U8),
        prop::collection::vec(any::<u16>(), n).prop_map(Pixels::U16),
        prop::collection::vec(-3.0f32..3.0, n).prop_map(Pixels::F32),
    ]
}

/// Rows of one size: rows, frames, channels, height, width and all images.
fn any_rows() -> impl Strategy<Value = (Vec<Row>, [usize; 5])> {
    (1usize..4, 1usize..4, 1usize..6, 1usize..5, 1usize..5).prop_flat_map(|(n, f, c, h, w)| {
        prop::collection::vec(any_pixels(c * h * w), n * f).prop_map(move |all| {
            let frame = |pixels: &Pixels| Frame { number: 0, image: Image::new(w, h, c, pixels.clone()).unwrap() };
            let row = |(i, all): (usize, &[Pixels])| {
                Row::new(SampleId { index: i as u64, key: i.to_string().into() }, all.iter().map(frame).collect())
            };
            (all.chunks(f).enumerate().map(row).collect(), [n, f, c, h, w])
        })
    })
}

proptest! {
    #[test]
    fn a_batch_holds_the_planes_of_every_image_in_order((rows, [n, f, c, h, w]) in any_rows()) {
        let data = DataInfo { channels: c, frames: f, ..DataInfo::default() };
        let batch = images(&rows, &cx(&data)).unwrap();
        let dims = if f > 1 { vec![n, f, c, h, w] } else { vec![n, c, h, w] };
        prop_assert_eq!(batch.dims(), dims.as_slice());
        let planes: Vec<f32> = rows.iter().flat_map(|r| &r.frames).flat_map(|f| f.image.to_planes()).collect();
        prop_assert_eq!(batch.flatten_all().unwrap().to_vec1::<f32>().unwrap(), planes);
    }
}

proptest! {
    #[test]
    fn what_rows_have_outstanding_is_looked_up_in_the_same_pass((rows, [_, f, c, ..]) in any_rows(), one_for_all: bool) {
        use kinds::augmentation::Table;
        let tables = (0..if one_for_all { 1 } else { c }).map(|c| std::array::from_fn(|v| v as f32 * 0.25 - c as f32));
        let table = std::sync::Arc::new(Table::Floats(tables.collect()));
        let data = DataInfo { channels: c, frames: f, ..DataInfo::default() };
        let later: Vec<Row> = rows.into_iter().map(|row| Row { outstanding: Some(table.clone()), ..row }).collect();
        let mut now = later.clone();
        now.iter_mut().for_each(Row::settle);
        let all = |rows: &[Row]| images(rows, &cx(&data)).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        prop_assert_eq!(all(&later), all(&now));
        prop_assert!(now.iter().all(|row| row.outstanding.is_none()));
    }
}

#[test]
fn the_tensor_has_the_type_that_training_asks_for() {
    let data = data(&["a", "b"]);
    for dtype in [DType::F64, DType::BF16, DType::F16] {
        let cx = CollateCx { device: &Device::Cpu, dtype, data: &data };
        let batch = images(&[row("a", &[(3, 2, 3)])], &cx).unwrap();
        assert_eq!(batch.dtype(), dtype);
    }
}

#[test]
fn clips_of_one_frame_stay_clips_where_the_data_are_clips() {
    let data = DataInfo { frames: 3, ..data(&[]) };
    assert_eq!(images(&[row("a", &[(3, 2, 3)])], &cx(&data)).unwrap().dims(), [1, 1, 3, 2, 3]);
}

#[test]
fn rows_that_do_not_fit_together_are_refused_by_name() {
    let data = data(&["a", "b"]);
    let whole = || row("cats/1.png", &[(3, 2, 3)]);
    for (other, says, hints) in [
        (row("dogs/7.png", &[(4, 2, 3)]), "sample `dogs/7.png` is 4x2, sample `cats/1.png` 3x2", "Resize"),
        (row("dogs/7.png", &[(3, 2, 1)]), "sample `dogs/7.png` has 1 channels, sample `cats/1.png` 3", ""),
        (row("dogs/7.png", &[(3, 2, 3); 2]), "sample `dogs/7.png` has 2 frames, sample `cats/1.png` 1", "frames"),
        (row("dogs/7.png", &[]), "sample `dogs/7.png` has 0 frames", ""),
    ] {
        let error = images(&[whole(), other], &cx(&data)).unwrap_err();
        assert_eq!((error.code(), error.class()), ("PL0320", error::Class::Data));
        assert!(error.message().contains(says), "{error}");
        assert!(error.hint_text().unwrap_or_default().contains(hints), "{error}");
    }
}

#[test]
fn a_clip_whose_frames_differ_in_size_is_refused() {
    let error = images(&[row("v/2", &[(3, 2, 3), (3, 3, 3)])], &cx(&data(&[]))).unwrap_err();
    assert!(error.message().contains("sample `v/2` is 3x3"), "{error}");
}

#[test]
fn channels_other_than_those_of_the_data_are_refused() {
    let error = images(&[row("a", &[(3, 2, 4)])], &cx(&data(&[]))).unwrap_err();
    assert!(error.message().contains("sample `a` has 4 channels, the data have 3"), "{error}");
}

#[test]
fn an_empty_batch_is_refused() {
    assert_eq!(images(&[], &cx(&data(&[]))).unwrap_err().code(), "PL0320");
}

#[test]
fn an_image_that_lacks_pixels_is_refused() {
    let mut short = row("a", &[(3, 2, 3)]);
    short.frames[0].image.pixels = Pixels::U8(vec![0; 5]);
    assert!(images(&[short], &cx(&data(&[]))).unwrap_err().message().contains("`a`"));
}
