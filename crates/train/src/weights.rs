//! Weights from files: safetensors read whole, then put into the parameters of their names.
//!
//! The second half, from named tensors to parameters, is [`Params::load`] of the core.

use pleach_core::error::Context;
use pleach_core::{Device, Error, Fit, LoadReport, Params, Result, Tensor};
use std::collections::BTreeMap;
use std::path::Path;

/// Puts the tensors of a safetensors file into the parameters of their names, converted to their type and device.
///
/// # Errors
/// The file cannot be read; with [`Fit::Strict`] the names and shapes must be the same on both sides, and otherwise the
/// error lists what did not fit and nothing is changed; with [`Fit::Partial`] at least one tensor must fit.
pub fn load_weights(params: &Params, path: &Path, fit: Fit) -> Result<LoadReport> {
    let tensors = read_weights(path, params.device())?;
    let report = params.load(&tensors, fit).context(|| format!("loading {}", path.display()))?;
    if report.loaded.is_empty() && !report.is_complete() {
        let some = |names: Vec<&str>| names.into_iter().take(3).collect::<Vec<_>>().join(", ");
        let theirs = some(tensors.keys().map(String::as_str).collect());
        let ours = some(params.iter().map(|(name, _)| name).collect());
        return Err(Error::new("PL0530", format!("nothing in {} fits this model", path.display()))
            .hint(format!("the file has {theirs} ...; the model has {ours} ...")));
    }
    Ok(report)
}

/// All tensors of a safetensors file, in the types they have there.
///
/// # Errors
/// The file cannot be read, is cut off, or is no safetensors file.
pub fn read_weights(path: &Path, device: &Device) -> Result<BTreeMap<String, Tensor>> {
    let bytes = std::fs::read(path)
        .map_err(|e| Error::new("PL0531", format!("the weights {} cannot be read: {e}", path.display())))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, device).map_err(|e| refused(path, &bytes, &e))?;
    Ok(tensors.into_iter().collect())
}

/// Why a file is not taken, as far as its first bytes tell.
fn refused(path: &Path, bytes: &[u8], why: &candle_core::Error) -> Error {
    let place = path.display();
    // torch.save writes a zip archive, and wrote a bare pickle before version 1.6.
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0x80, 0x02]) {
        return Error::new("PL0532", format!("{place} was written by torch.save; weights are read from safetensors"))
            .hint(
                "in Python: safetensors.torch.save_file(torch.load(path, weights_only=True), \"weights.safetensors\")",
            );
    }
    let header = bytes.first_chunk().map(|n| u64::from_le_bytes(*n));
    let begins_well = header.is_some_and(|n| n < 100_000_000) && bytes.get(8).is_none_or(|&b| b == b'{');
    if begins_well || bytes.len() < 8 {
        let text = why.to_string();
        let first = text.lines().next().unwrap_or_default();
        return Error::new("PL0533", format!("{place} is cut off or damaged ({} bytes): {first}", bytes.len()))
            .hint("copy or download it again");
    }
    Error::new("PL0534", format!("{place} is no safetensors file"))
}
