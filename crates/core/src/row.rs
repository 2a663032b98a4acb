//! One sample as one row: frames with everything that is known about them, so that no operation
//! can move a part and forget another.

use crate::image::Image;
use crate::kinds::augmentation::Table;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which sample of its source a row is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SampleId {
    /// Its index in the source.
    pub index: u64,
    /// What a person calls it: a path, a key.
    pub key: Arc<str>,
}

/// A sample: a clip of frames (a still image is a clip of one) with its instances, maps, labels and values.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which sample it is.
    pub id: SampleId,
    /// The video it comes from.
    pub video: Option<Arc<str>>,
    /// The frames in order.
    pub frames: Vec<Frame>,
    /// Objects in the frames.
    pub instances: Vec<Instance>,
    /// A class for every pixel.
    pub maps: Vec<Map>,
    /// What is said of the sample as a whole.
    pub labels: Labels,
    /// Numbers to be predicted.
    pub values: Vec<f32>,
    /// What every sample of the frames is still to be looked up in: only where collation does it in the pass that it
    /// makes anyway (see [`Task::looks_up`](crate::Task::looks_up)).
    pub outstanding: Option<Arc<Table>>,
}

impl Row {
    /// Looks the samples up that are still to be.
    pub fn settle(&mut self) {
        if let Some(table) = self.outstanding.take() {
            self.frames.iter_mut().for_each(|frame| table.apply(&mut frame.image));
        }
    }

    /// A row with frames alone.
    pub fn new(id: SampleId, frames: Vec<Frame>) -> Self {
        Self {
            id,
            video: None,
            frames,
            instances: Vec::new(),
            maps: Vec::new(),
            labels: Labels::default(),
            values: Vec::new(),
            outstanding: None,
        }
    }

    /// A row without frames: what a decoder predicts for `of`.
    pub fn prediction(of: &Self) -> Self {
        Self {
            id: of.id.clone(),
            video: of.video.clone(),
            frames: Vec::new(),
            instances: Vec::new(),
            maps: Vec::new(),
            labels: Labels::default(),
            values: Vec::new(),
            outstanding: None,
        }
    }

    /// Width and height of the first frame.
    pub fn size(&self) -> Option<(usize, usize)> {
        self.frames.first().map(|f| (f.image.width, f.image.height))
    }
}

/// One image of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its number in the video.
    pub number: u32,
    /// Its pixels.
    pub image: Image,
}

/// Labels of a whole sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    /// The class.
    pub class: Option<u32>,
    /// The probability of each class, in predictions.
    pub scores: Vec<f32>,
}

/// A class for every pixel of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// Index of the frame in its row.
    pub frame: u32,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The class of each pixel, row by row.
    pub classes: Vec<u16>,
    /// In predictions: the probability of the foreground of a binary map; otherwise empty.
    pub scores: Vec<f32>,
}

/// One object in one frame: whatever is known of it stands in this one value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    /// Index of the frame in its row.
    pub frame: u32,
    /// The class.
    pub class: u32,
    /// The identity over frames.
    pub track: Option<u64>,
    /// How sure a prediction is, 0 to 1.
    pub score: Option<f32>,
    /// The box.
    pub bbox: Option<RotBox>,
    /// The pixels.
    pub mask: Option<Mask>,
    /// The outline.
    pub polygon: Option<Polygon>,
    /// Key points.
    pub points: Vec<NamedPoint>,
    /// Neither right nor wrong in evaluation.
    pub ignore: bool,
    /// A region of many objects of the class, none of them outlined: predictions inside it, however many, are
    /// neither right nor wrong (COCO's `iscrowd`).
    pub crowd: bool,
    /// The area in square pixels, where it is known better than by mask or box; evaluation by size goes by it.
    pub area: Option<f32>,
}

/// A box turned by an angle about its centre; an axis-aligned box has angle 0. Units are pixels,
/// with the corner of the first pixel at (0, 0).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RotBox {
    /// Centre.
    pub cx: f32,
    /// Centre.
    pub cy: f32,
    /// Extent along the turned x axis.
    pub w: f32,
    /// Extent along the turned y axis.
    pub h: f32,
    /// Radians from the x axis towards the y axis (clockwise on a screen).
    pub angle: f32,
}

impl RotBox {
    /// The axis-aligned box between two corners.
    pub fn from_corners(x0: f32, y0: f32, x1: f32, y1: f32) -> Self {
        Self { cx: (x0 + x1) / 2.0, cy: (y0 + y1) / 2.0, w: x1 - x0, h: y1 - y0, angle: 0.0 }
    }

    /// The four corners in order around the box.
    pub fn corners(&self) -> [[f32; 2]; 4] {
        let (s, c) = self.angle.sin_cos();
        [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(u, v): (f32, f32)| {
            let (dx, dy) = (u * self.w, v * self.h);
            [self.cx + dx * c - dy * s, self.cy + dx * s + dy * c]
        })
    }

    /// The smallest axis-aligned box around it: x0, y0, x1, y1.
    pub fn bounds(&self) -> [f32; 4] {
        let corners = self.corners();
        let fold = |axis: usize, f: fn(f32, f32) -> f32, start: f32| corners.iter().map(|p| p[axis]).fold(start, f);
        [
            fold(0, f32::min, f32::INFINITY),
            fold(1, f32::min, f32::INFINITY),
            fold(0, f32::max, f32::NEG_INFINITY),
            fold(1, f32::max, f32::NEG_INFINITY),
        ]
    }
}

/// The pixels of an instance, over the whole frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mask {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 inside, 0 outside.
    pub inside: Vec<u8>,
}

/// The outline of an instance: one ring of points or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Polygon(pub Vec<Vec<[f32; 2]>>);

/// A key point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedPoint {
    /// Which one.
    pub name: Arc<str>,
    /// Pixels from the left.
    pub x: f32,
    /// Pixels from the top.
    pub y: f32,
    /// Whether it can be seen.
    pub visible: bool,
}
