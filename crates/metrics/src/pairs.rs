//! Finds what of a prediction is held against what of the truth, and refuses what cannot be.

use pleach_core::image::Image;
use pleach_core::{Error, Map, Result, Row};

/// What the truth of a sample lacks.
pub(crate) fn untold(truth: &Row, what: &str) -> Error {
    Error::new("PL0330", format!("sample `{}` has no {what} to compare the prediction with", truth.id.key))
}

/// The true maps of a sample, each with the predicted one of its frame (prediction first).
///
/// # Errors
/// PL0330 where the truth has no map; PL0230 where a prediction is missing or of another size.
pub(crate) fn maps<'a>(predicted: &'a Row, truth: &'a Row) -> Result<Vec<(&'a Map, &'a Map)>> {
    let key = &truth.id.key;
    if truth.maps.is_empty() {
        return Err(untold(truth, "map"));
    }
    let with_guess = |map: &'a Map| {
        let frame = map.frame;
        let Some(guess) = predicted.maps.iter().find(|m| m.frame == frame) else {
            return Err(Error::new("PL0230", format!("no map was predicted for frame {frame} of sample `{key}`")));
        };
        if (guess.width, guess.height, guess.classes.len()) != (map.width, map.height, map.classes.len()) {
            return Err(Error::new(
                "PL0230",
                format!(
                    "the map predicted for frame {frame} of sample `{key}` is {}x{}, the true one {}x{}",
                    guess.width, guess.height, map.width, map.height
                ),
            ));
        }
        Ok((guess, map))
    };
    truth.maps.iter().map(with_guess).collect()
}

/// Whether each pixel of a true binary map is foreground, with the predicted probability of it; ignored pixels are
/// left out.
///
/// # Errors
/// PL0230 where a map has no scores or one that is no number; PL0330 where a true class is neither 0 nor 1.
pub(crate) fn scored_pixels(guess: &Map, map: &Map, ignored: Option<u32>, truth: &Row) -> Result<Vec<(f32, bool)>> {
    let (key, frame) = (&truth.id.key, map.frame);
    if guess.scores.len() != map.classes.len() {
        return Err(Error::new(
            "PL0230",
            format!("the map predicted for frame {frame} of sample `{key}` has no scores"),
        )
        .hint("probabilities of pixels are given by binary segmentation alone (`mode = \"binary\"`)"));
    }
    let mut pixels = Vec::with_capacity(map.classes.len());
    for (&score, &class) in guess.scores.iter().zip(&map.classes) {
        if ignored == Some(u32::from(class)) {
            continue;
        }
        if class > 1 {
            return Err(Error::new("PL0330", format!("a pixel of sample `{key}` is of class {class}"))
                .hint("scores of maps are held against two classes: 0, the background, and 1"));
        }
        if !score.is_finite() {
            return Err(Error::new("PL0230", format!("a score of the map predicted for sample `{key}` is {score}")));
        }
        pixels.push((score, class == 1));
    }
    Ok(pixels)
}

/// The predicted and the true values of a sample, of which there must be `outputs` (0: any number).
///
/// # Errors
/// PL0330 where the truth has none, another number than the samples before, or one that is not finite; PL0230
/// where the prediction has another number, or one that is not finite.
pub(crate) fn values(predicted: &Row, truth: &Row, outputs: usize) -> Result<Vec<(f64, f64)>> {
    let (key, n) = (&truth.id.key, truth.values.len());
    if n == 0 {
        return Err(untold(truth, "value"));
    }
    if outputs != 0 && n != outputs {
        return Err(Error::new("PL0330", format!("sample `{key}` has {n} values, those before it {outputs}")));
    }
    if predicted.values.len() != n {
        let got = predicted.values.len();
        return Err(Error::new("PL0230", format!("{got} values were predicted for sample `{key}`, the truth has {n}")));
    }
    for (code, what, row) in [("PL0330", "true", truth), ("PL0230", "predicted", predicted)] {
        if let Some(odd) = row.values.iter().find(|v| !v.is_finite()) {
            return Err(Error::new(code, format!("a {what} value of sample `{key}` is {odd}")));
        }
    }
    Ok(predicted.values.iter().zip(&truth.values).map(|(&p, &t)| (f64::from(p), f64::from(t))).collect())
}

/// The images of a sample's frames, each with the predicted one (prediction first).
///
/// # Errors
/// PL0330 where the truth has no frame; PL0230 where the prediction has another number of them or of another size.
pub(crate) fn images<'a>(predicted: &'a Row, truth: &'a Row) -> Result<Vec<(&'a Image, &'a Image)>> {
    let (key, n, got) = (&truth.id.key, truth.frames.len(), predicted.frames.len());
    if n == 0 {
        return Err(untold(truth, "image"));
    }
    if got != n {
        return Err(Error::new("PL0230", format!("{got} images were predicted for sample `{key}`, which has {n}")));
    }
    let size = |i: &Image| format!("{}x{} with {} channels", i.width, i.height, i.channels);
    let pairs = predicted.frames.iter().zip(&truth.frames);
    pairs
        .map(|(p, t)| {
            let (p, t) = (&p.image, &t.image);
            if (p.width, p.height, p.channels, p.pixels.len()) != (t.width, t.height, t.channels, t.pixels.len()) {
                let what = format!("an image predicted for sample `{key}` is {}, the true one {}", size(p), size(t));
                return Err(Error::new("PL0230", what));
            }
            Ok((p, t))
        })
        .collect()
}

/// The samples of an image in its own range where `raw`ly compared, else with white as 1.
///
/// # Errors
/// With `code`, where one is not finite.
pub(crate) fn pixels(image: &Image, range: Option<f64>, code: &'static str, of: &Row) -> Result<Vec<f64>> {
    let white = if range.is_some() { 1.0 } else { f64::from(image.pixels.white()) };
    let all: Vec<f64> = image.to_f32().into_iter().map(|x| f64::from(x) / white).collect();
    match all.iter().find(|x| !x.is_finite()) {
        Some(odd) => Err(Error::new(code, format!("a pixel of an image for sample `{}` is {odd}", of.id.key))),
        None => Ok(all),
    }
}
