//! Which elements a loss of overlap adds up together.

use pleach_core::{DType, Result, Tensor, config};

/// Which elements a loss of overlap adds up together; the loss is the mean over these groups.
#[config]
#[derive(Default)]
pub enum Reduce {
    /// All elements of the batch make one group: small objects weigh little beside large ones of other samples.
    #[default]
    Batch,
    /// Each sample is a group, all its channels together.
    Sample,
    /// Each channel (class) is a group over the whole batch: MONAI's `batch = true`.
    Class,
    /// Each channel of each sample is a group: MONAI's default.
    SampleClass,
}

impl Reduce {
    /// The number of groups along samples and along channels.
    pub(crate) fn groups(self, samples: usize, channels: usize) -> [usize; 2] {
        match self {
            Self::Batch => [1, 1],
            Self::Sample => [samples, 1],
            Self::Class => [1, channels],
            Self::SampleClass => [samples, channels],
        }
    }

    /// The group of a channel of a sample.
    pub(crate) fn group(self, channels: usize, sample: usize, channel: usize) -> usize {
        match self {
            Self::Batch => 0,
            Self::Sample => sample,
            Self::Class => channel,
            Self::SampleClass => sample * channels + channel,
        }
    }

    /// The elements of (N, C, S) added up in f64, group by group: of the shape of the groups.
    pub(crate) fn sums(self, x: &Tensor) -> Result<Tensor> {
        let sums = x.to_dtype(DType::F64)?.sum(2)?;
        Ok(match self {
            Self::Batch => sums.sum_keepdim((0, 1))?,
            Self::Sample => sums.sum_keepdim(1)?,
            Self::Class => sums.sum_keepdim(0)?,
            Self::SampleClass => sums,
        })
    }
}
