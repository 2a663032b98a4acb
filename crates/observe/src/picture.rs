//! A picture of lines and words that is written as SVG or PNG without a font of the system.

use pleach_core::{Error, Result};
use std::fmt::Write;
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8, Stroke, Transform,
};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// The font of PNG files, also the measure of words in SVG files: Ubuntu Light (Ubuntu font licence 1.0).
const FONT: &[u8] = epaint_default_fonts::UBUNTU_LIGHT;

/// Red, green, blue.
pub(crate) type Rgb = [u8; 3];

/// Where a word begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Anchor {
    /// At the point.
    Start,
    /// Half of it before the point.
    Middle,
    /// All of it before the point.
    End,
}

#[derive(Debug, Clone)]
enum Shape {
    Line { points: Vec<(f64, f64)>, colour: Rgb, width: f64 },
    Disc { at: (f64, f64), radius: f64, colour: Rgb },
    Words { at: (f64, f64), text: String, size: f64, colour: Rgb, weight: f64 },
}

/// Shapes on a white sheet; lengths in pixels of the SVG.
pub(crate) struct Picture {
    width: f64,
    height: f64,
    shapes: Vec<Shape>,
    face: Face<'static>,
}

impl Picture {
    /// A white sheet.
    pub fn new(width: f64, height: f64) -> Result<Self> {
        let face = Face::parse(FONT, 0).map_err(|e| Error::new("PL0522", format!("the built-in font: {e}")))?;
        Ok(Self { width, height, shapes: Vec::new(), face })
    }

    /// A line through points.
    pub fn line(&mut self, points: Vec<(f64, f64)>, colour: Rgb, width: f64) {
        self.shapes.push(Shape::Line { points, colour, width });
    }

    /// A filled circle.
    pub fn disc(&mut self, at: (f64, f64), radius: f64, colour: Rgb) {
        self.shapes.push(Shape::Disc { at, radius, colour });
    }

    /// Words on one line; the point is on their baseline.
    pub fn words(&mut self, (x, y): (f64, f64), text: &str, size: f64, colour: Rgb, anchor: Anchor) {
        let before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        };
        let x = x - before * self.measure(text, size);
        self.shapes.push(Shape::Words { at: (x, y), text: text.to_owned(), size, colour, weight: 0.02 });
    }

    /// A heading: words with heavier strokes.
    pub fn heading(&mut self, at: (f64, f64), text: &str, size: f64, colour: Rgb) {
        self.shapes.push(Shape::Words { at, text: text.to_owned(), size, colour, weight: 0.06 });
    }

    /// How long words are.
    pub fn measure(&self, text: &str, size: f64) -> f64 {
        let units: u32 = text.chars().map(|c| self.advance(self.glyph(c))).sum();
        f64::from(units) * self.scale(size)
    }

    fn scale(&self, size: f64) -> f64 {
        size / f64::from(self.face.units_per_em())
    }

    fn glyph(&self, c: char) -> GlyphId {
        self.face.glyph_index(c).unwrap_or(GlyphId(0))
    }

    fn advance(&self, glyph: GlyphId) -> u32 {
        self.face.glyph_hor_advance(glyph).unwrap_or(0).into()
    }

    /// The picture as SVG. Words have the length that they have in the PNG, whatever font shows them.
    pub fn svg(&self) -> String {
        let (w, h) = (self.width, self.height);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
             font-family=\"Ubuntu, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif\">\n\
             <rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n"
        );
        for shape in &self.shapes {
            // Writing to a string does not fail.
            let _ = match shape {
                Shape::Line { points, colour, width } => {
                    let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                    writeln!(
                        out,
                        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" \
                         stroke-linejoin=\"round\" stroke-linecap=\"round\"/>",
                        points.join(" "),
                        hex(*colour)
                    )
                }
                Shape::Disc { at, radius, colour } => {
                    writeln!(
                        out,
                        "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius}\" fill=\"{}\"/>",
                        at.0,
                        at.1,
                        hex(*colour)
                    )
                }
                Shape::Words { at, text, size, colour, weight } => {
                    let bold = if *weight > 0.05 { " font-weight=\"500\"" } else { "" };
                    writeln!(
                        out,
                        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{size}\"{bold} fill=\"{}\" textLength=\"{:.1}\" \
                         lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                        at.0,
                        at.1,
                        hex(*colour),
                        self.measure(text, *size),
                        escaped(text)
                    )
                }
            };
        }
        out.push_str("</svg>\n");
        out
    }

    /// The picture as PNG, with `scale` pixels for one of the SVG.
    pub fn png(&self, scale: f32) -> Result<Vec<u8>> {
        let (w, h) = ((self.width as f32 * scale) as u32, (self.height as f32 * scale) as u32);
        let mut sheet = Pixmap::new(w, h).ok_or_else(|| Error::new("PL0522", format!("a picture of {w} x {h}")))?;
        sheet.fill(Color::WHITE);
        let transform = Transform::from_scale(scale, scale);
        for shape in &self.shapes {
            match shape {
                Shape::Line { points, colour, width } => {
                    let mut path = PathBuilder::new();
                    for (i, (x, y)) in points.iter().enumerate() {
                        if i == 0 { path.move_to(*x as f32, *y as f32) } else { path.line_to(*x as f32, *y as f32) }
                    }
                    stroke(&mut sheet, path.finish(), *colour, *width as f32, transform);
                }
                Shape::Disc { at, radius, colour } => {
                    let disc = PathBuilder::from_circle(at.0 as f32, at.1 as f32, *radius as f32);
                    fill(&mut sheet, disc, *colour, transform);
                }
                Shape::Words { at, text, size, colour, weight } => {
                    let letters = self.outline(*at, text, *size);
                    fill(&mut sheet, letters.clone(), *colour, transform);
                    // The font is a light one: its outline makes it as heavy as small words need.
                    stroke(&mut sheet, letters, *colour, (weight * size) as f32, transform);
                }
            }
        }
        encode(&sheet)
    }

    fn outline(&self, (x, y): (f64, f64), text: &str, size: f64) -> Option<Path> {
        let scale = self.scale(size) as f32;
        let mut pen = Pen { path: PathBuilder::new(), x: x as f32, y: y as f32, scale };
        for c in text.chars() {
            let glyph = self.glyph(c);
            self.face.outline_glyph(glyph, &mut pen);
            pen.x += self.advance(glyph) as f32 * scale;
        }
        pen.path.finish()
    }
}

/// Draws letters; a font's y axis points up.
struct Pen {
    path: PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }
    fn close(&mut self) {
        self.path.close();
    }
}

fn paint(colour: Rgb) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 255);
    paint
}

fn fill(sheet: &mut Pixmap, path: Option<Path>, colour: Rgb, transform: Transform) {
    if let Some(path) = path {
        sheet.fill_path(&path, &paint(colour), FillRule::Winding, transform, None);
    }
}

fn stroke(sheet: &mut Pixmap, path: Option<Path>, colour: Rgb, width: f32, transform: Transform) {
    if let Some(path) = path {
        let pen = Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        sheet.stroke_path(&path, &paint(colour), &pen, transform, None);
    }
}

fn encode(sheet: &Pixmap) -> Result<Vec<u8>> {
    // The sheet is opaque, so that premultiplied colours are the colours themselves.
    let rgb = |p: &PremultipliedColorU8| [p.red(), p.green(), p.blue()];
    let pixels: Vec<u8> = sheet.pixels().iter().flat_map(rgb).collect();
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, sheet.width(), sheet.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut w| {
        w.write_image_data(&pixels)?;
        w.finish()
    });
    written.map_err(|e| Error::new("PL0522", format!("a picture cannot be encoded: {e}")))?;
    Ok(out)
}

fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_leave_ink_in_the_png_and_are_escaped_in_the_svg() {
        let mut picture = Picture::new(80.0, 20.0).unwrap();
        picture.words((40.0, 15.0), "a<b", 12.0, [0, 0, 0], Anchor::Middle);
        assert!(picture.svg().contains(">a&lt;b</text>"));
        let png = picture.png(2.0).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(reader.info().size(), (160, 40));
        assert!(pixels.iter().filter(|v| **v < 64).count() > 50);
    }
}
