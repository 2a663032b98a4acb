//! The sizes of one convolution, and its output cut into tiles.

use crate::window::Window;
use std::ops::{Deref, Range};

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub images: usize,
    pub groups: usize,
    /// Input channels of one group.
    pub ci: usize,
    /// Output channels of one group.
    pub co: usize,
    pub window: Window,
}

impl Deref for Geometry {
    type Target = Window;

    fn deref(&self) -> &Window {
        &self.window
    }
}

impl Geometry {
    /// Length of the sum behind one output element.
    pub fn depth(&self) -> usize {
        self.ci * self.area()
    }

    /// Whether the patches are the image itself.
    pub fn pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0] && self.input == self.output
    }

    /// Whether a group is so small (depthwise convolutions) that its matrices would be a few lines high.
    pub fn thin(&self) -> bool {
        self.ci == 1 && self.co <= 4
    }
}

/// Output pixels cut into tiles: parts of one image, or several whole images.
///
/// The cut follows from the sizes alone, never from the number of threads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiles {
    area: usize,
    /// Images in a tile; more than one only where a tile has them whole.
    pub images: usize,
    /// Pixels of each image in a tile.
    pub pixels: usize,
}

/// Elements of a tile of patches: 512 KiB of f32, at home in a second-level cache.
const TILE: usize = 1 << 17;
/// Fewer tiles than this leave threads without work.
const PLENTY: usize = 16;

impl Tiles {
    /// Tiles for patches of `depth` rows.
    pub fn new(g: &Geometry, depth: usize) -> Self {
        let area = g.area_out();
        let fair = (g.images * g.groups * area).div_ceil(PLENTY);
        let width = (TILE / depth.max(1)).min(fair).max(64);
        if area > width {
            // Equal parts, rounded up to whole vectors.
            let part = area.div_ceil(area.div_ceil(width)).next_multiple_of(16);
            Self { area, images: 1, pixels: part }
        } else {
            Self { area, images: (width / area.max(1)).clamp(1, g.images.max(1)), pixels: area }
        }
    }

    /// Tiles that one block of `images` images is cut into.
    pub fn parts(&self) -> usize {
        self.area.div_ceil(self.pixels.max(1))
    }

    /// The pixels of part `i`.
    pub fn part(&self, i: usize) -> Range<usize> {
        i * self.pixels..((i + 1) * self.pixels).min(self.area)
    }

    /// All tiles of `n` images, in order: images and pixels of each.
    pub fn all(self, n: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        (0..n.div_ceil(self.images)).flat_map(move |b| {
            let images = b * self.images..((b + 1) * self.images).min(n);
            (0..self.parts()).map(move |p| (images.clone(), self.part(p)))
        })
    }
}
