//! The sizes of one convolution.

use crate::window::Window;
use std::ops::Deref;

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
