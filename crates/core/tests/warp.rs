//! One map moves everything in a row together: frames, maps, masks, boxes, polygons and points.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use pleach_core::image::{Image, Pixels};
use pleach_core::warp::{Border, Interpolation, UPRIGHT};
use pleach_core::{Frame, Instance, Map, Mask, NamedPoint, Polygon, Purpose, Rng, RotBox, Row, SampleId, Warp, rng};
use proptest::prelude::*;

const SIZE: (usize, usize) = (33, 26);

fn noise(size: (usize, usize), channels: usize, seed: u64) -> Image {
    let mut rng = Rng::new(seed, Purpose::Other, rng::Stream::default());
    let samples = (0..size.0 * size.1 * channels).map(|_| rng.next_u32() as u8).collect();
    Image::new(size.0, size.1, channels, Pixels::U8(samples)).unwrap()
}

fn point(name: &str, x: f32, y: f32) -> NamedPoint {
    NamedPoint { name: name.into(), x, y, visible: true }
}

/// A rectangle of whole pixels as an instance with every part; its point is its centre.
fn rectangle(size: (usize, usize), [x0, y0, x1, y1]: [usize; 4]) -> Instance {
    let inside = |i: usize| (x0..x1).contains(&(i % size.0)) && (y0..y1).contains(&(i / size.0));
    let mask = (0..size.0 * size.1).map(|i| u8::from(inside(i))).collect();
    let [a, b, c, d] = [x0, y0, x1, y1].map(|x| x as f32);
    Instance {
        class: 3,
        track: Some(9),
        bbox: Some(RotBox::from_corners(a, b, c, d)),
        mask: Some(Mask { width: size.0, height: size.1, inside: mask }),
        polygon: Some(Polygon(vec![vec![[a, b], [c, b], [c, d], [a, d]]])),
        points: vec![point("centre", 0.5 * (a + c), 0.5 * (b + d))],
        ..Instance::default()
    }
}

/// Two frames of the same picture, with a map, and one instance of every make.
fn row(size: (usize, usize), channels: usize, rect: [usize; 4]) -> Row {
    let image = noise(size, channels, 5);
    let frames = vec![Frame { number: 0, image: image.clone() }, Frame { number: 1, image }];
    let mut row = Row::new(SampleId { index: 0, key: "test".into() }, frames);
    let classes = noise(size, 1, 6).to_f32().into_iter().map(|x| x as u16).collect();
    row.maps.push(Map { frame: 1, width: size.0, height: size.1, classes, scores: Vec::new() });
    let whole = rectangle(size, rect);
    let (boxed, outlined, pointed) = (whole.clone(), whole.clone(), whole.clone());
    row.instances.push(whole);
    row.instances.push(Instance { mask: None, polygon: None, points: Vec::new(), ..boxed });
    row.instances.push(Instance { frame: 1, mask: None, bbox: None, ..outlined });
    row.instances.push(Instance { frame: 1, mask: None, bbox: None, polygon: None, ..pointed });
    row
}

fn turned(cx: f32, cy: f32, w: f32, h: f32, degrees: f32) -> Instance {
    Instance { bbox: Some(RotBox { cx, cy, w, h, angle: degrees.to_radians() }), ..Instance::default() }
}

fn applied(warp: &Warp, row: &Row) -> Row {
    let mut out = row.clone();
    warp.apply(&mut out).unwrap();
    out
}

fn bounds(polygon: &Polygon) -> [f32; 4] {
    polygon.0.iter().flatten().fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |b, p| {
        [b[0].min(p[0]), b[1].min(p[1]), b[2].max(p[0]), b[3].max(p[1])]
    })
}

fn near(a: [f32; 4], b: [f32; 4], by: f32) -> bool {
    a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= by)
}

/// Equal pixels; equal shapes but for rounding.
fn same(a: &Row, b: &Row) {
    assert_eq!(a.frames, b.frames);
    assert_eq!(a.maps, b.maps);
    assert_eq!(a.instances.len(), b.instances.len());
    for (a, b) in a.instances.iter().zip(&b.instances) {
        assert_eq!(a.mask, b.mask);
        let boxes = |i: &Instance| i.bbox.map(|b| b.bounds()).unwrap_or_default();
        assert!(near(boxes(a), boxes(b), 1e-4), "{a:?} {b:?}");
        let rings = |i: &Instance| i.polygon.clone().map(|p| p.0.concat()).unwrap_or_default();
        assert_eq!(rings(a).len(), rings(b).len());
        assert!(rings(a).iter().flatten().zip(rings(b).iter().flatten()).all(|(x, y)| (x - y).abs() < 1e-4));
        for (p, q) in a.points.iter().zip(&b.points) {
            assert!((p.x - q.x).abs() < 1e-4 && (p.y - q.y).abs() < 1e-4 && p.visible == q.visible);
        }
    }
}

fn size() -> impl Strategy<Value = (usize, usize)> {
    (4_usize..40, 4_usize..40)
}

/// A frame and a rectangle in it with sides of at least 3.
fn framed() -> impl Strategy<Value = ((usize, usize), [usize; 4])> {
    (12_usize..40, 12_usize..40).prop_flat_map(|(w, h)| {
        (0..w - 4, 0..h - 4).prop_flat_map(move |(x, y)| {
            (x + 3..w, y + 3..h).prop_map(move |(right, bottom)| ((w, h), [x, y, right, bottom]))
        })
    })
}

/// A map that copies pixels and cuts nothing off.
fn copying() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((0_u8..5, 0_u8..6), 1..5)
}

fn make(kind: (u8, u8), size: (usize, usize)) -> Warp {
    let by = usize::from(kind.1);
    match kind.0 {
        0 => Warp::hflip(size),
        1 => Warp::vflip(size),
        2 => Warp::turn(size, i32::from(kind.1)),
        3 => Warp::crop(-(by as i64), -1, (size.0 + 2 * by, size.1 + by + 1)),
        _ => Warp::identity(size),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mirror_image_of_a_mirror_image_is_the_original((size, rect) in framed(), channels in 1_usize..5) {
        let mut row = row(size, channels, rect);
        row.instances.push(turned(6.0, 6.0, 4.0, 2.0, 30.0));
        for warp in [Warp::hflip(size), Warp::vflip(size), Warp::turn(size, 2), Warp::identity(size)] {
            let once = applied(&warp, &row);
            prop_assert_eq!(once.instances.len(), row.instances.len());
            same(&applied(&warp, &once), &row);
        }
    }

    #[test]
    fn what_is_padded_and_cropped_is_the_original((size, rect) in framed(), x in 0_usize..9, y in 0_usize..9) {
        let row = row(size, 3, rect);
        let pad = Warp::crop(-(x as i64), -(y as i64), (size.0 + 2 * x, size.1 + y));
        let crop = Warp::crop(x as i64, y as i64, size);
        same(&applied(&crop, &applied(&pad, &row)), &row);
    }

    #[test]
    fn four_right_angles_are_none((size, rect) in framed(), quarters in -3..4_i32) {
        let row = row(size, 1, rect);
        let turn = |row: &Row| applied(&Warp::turn(row.size().unwrap(), quarters), row);
        same(&turn(&turn(&turn(&turn(&row)))), &row);
        same(&applied(&Warp::turn(turn(&row).size().unwrap(), -quarters), &turn(&row)), &row);
    }

    #[test]
    fn maps_put_together_do_what_they_do_one_after_the_other((size, rect) in framed(), kinds in copying()) {
        let row = row(size, 3, rect);
        let (mut step, mut all) = (row.clone(), Warp::identity(size));
        for kind in kinds {
            let warp = make(kind, step.size().unwrap());
            warp.apply(&mut step).unwrap();
            all = all.then(&warp);
        }
        same(&applied(&all, &row), &step);
        same(&applied(&all.inverse(size).unwrap(), &step), &row);
    }

    #[test]
    fn mask_box_outline_and_points_stay_together((size, rect) in framed(), degrees in -180.0..180.0_f64) {
        let middle = Warp::crop(-20, -20, (size.0 + 40, size.1 + 40));
        let warp = middle.then(&Warp::rotate(middle.size, degrees));
        let out = applied(&warp, &row(size, 1, rect));
        let [whole, boxed, ..] = out.instances.as_slice() else { panic!("an instance was lost") };
        let (mask, around) = (whole.mask.as_ref().unwrap(), whole.bbox.unwrap().bounds());
        // A sharp corner may lose one row of pixels.
        prop_assert!(near(around, bounds(whole.polygon.as_ref().unwrap()), 1.001), "{around:?}");
        prop_assert!(near(around, boxed.bbox.unwrap().bounds(), 1.001));
        let p = &whole.points[0];
        prop_assert!(p.visible);
        prop_assert_eq!(mask.inside[p.y as usize * mask.width + p.x as usize], 1);
        let area = ((rect[2] - rect[0]) * (rect[3] - rect[1])) as f64;
        let pixels = mask.inside.iter().filter(|&&x| x == 1).count() as f64;
        let outline = 2.0 * ((rect[2] - rect[0]) + (rect[3] - rect[1])) as f64;
        prop_assert!((pixels - area).abs() <= outline, "{pixels} of {area}");
    }

    #[test]
    fn no_instance_is_half_dropped(
        (size, rect) in framed(), to in size(),
        m in proptest::array::uniform6(-1.5..1.5_f64), shift in proptest::array::uniform2(-30.0..30.0_f64),
        tilt in proptest::array::uniform2(-0.03..0.03_f64), visible in 0.0..0.9_f32, plain in any::<bool>(),
    ) {
        let mut row = row(size, 1, rect);
        row.instances.push(turned(6.0, 6.0, 4.0, 2.0, 30.0));
        let tilt = if plain { [0.0, 0.0] } else { tilt };
        let mut warp = Warp::identity(to).with_min_visibility(visible);
        warp.matrix = [[m[0], m[1], shift[0]], [m[2], m[3], shift[1]], [tilt[0], tilt[1], 1.0]];
        let before: Vec<_> = row.instances.iter().map(parts).collect();
        warp.apply(&mut row).unwrap();
        prop_assert!(row.frames.iter().all(|f| (f.image.width, f.image.height) == to));
        prop_assert_eq!(&row.frames[0].image, &row.frames[1].image, "one map for all frames");
        for i in &row.instances {
            prop_assert!(before.contains(&parts(i)), "a part is gone: {:?}", i);
            prop_assert!(i.mask.as_ref().is_none_or(|m| m.inside.contains(&1) && m.inside.len() == to.0 * to.1));
            prop_assert!(i.polygon.as_ref().is_none_or(|p| !p.0.is_empty() && p.0.iter().all(|r| !r.is_empty())));
            prop_assert!(i.bbox.is_none_or(|b| b.w > 0.0 && b.h > 0.0 && b.cx.is_finite()));
            let frame = [0.0, 0.0, to.0 as f32, to.1 as f32];
            let inside = |b: [f32; 4]| (0..2).all(|k| b[k] >= -1e-3 && b[k + 2] <= frame[k + 2] + 1e-3);
            prop_assert!(i.polygon.as_ref().is_none_or(|p| inside(bounds(p))));
            prop_assert!(i.bbox.is_none_or(|b| b.angle != 0.0 || inside(b.bounds())));
        }
    }

    #[test]
    fn resizing_there_and_back_keeps_boxes(size in size(), to in size()) {
        let mut row = Row::new(SampleId { index: 0, key: "r".into() }, vec![]);
        let b = RotBox::from_corners(0.25, 0.5, size.0 as f32 - 1.0, size.1 as f32);
        row.instances.push(Instance { bbox: Some(b), ..Instance::default() });
        row.instances.push(turned(2.0, 1.5, 1.0, 0.5, -20.0));
        let warp = Warp::resize(size, to);
        warp.apply(&mut row).unwrap();
        let scaled = row.instances[0].bbox.unwrap();
        prop_assert!((scaled.w * size.0 as f32 - b.w * to.0 as f32).abs() < 1e-2 && scaled.angle == 0.0);
        warp.inverse(size).unwrap().apply(&mut row).unwrap();
        prop_assert!(near(row.instances[0].bbox.unwrap().bounds(), b.bounds(), 1e-3));
    }
}

fn parts(i: &Instance) -> (u32, bool, bool, bool, usize, Option<u64>) {
    (i.class, i.mask.is_some(), i.bbox.is_some(), i.polygon.is_some(), i.points.len(), i.track)
}

#[test]
fn a_window_that_is_stretched_ends_at_its_edge_whatever_comes_before() {
    let mut flipped = row((40, 30), 3, [8, 5, 10, 9]);
    let cut = Warp::crop(0, 3, (20, 18));
    let stretched = cut.then(&Warp::resize(cut.size, (50, 40)));
    let both = applied(&Warp::hflip((40, 30)).then(&stretched), &flipped);
    Warp::hflip((40, 30)).apply(&mut flipped).unwrap();
    let (both, by_step) = (both.frames[0].image.to_f32(), applied(&stretched, &flipped).frames[0].image.to_f32());
    assert!(both.iter().zip(&by_step).all(|(a, b)| (a - b).abs() <= 1.0));
}

#[test]
fn what_is_mirrored_at_the_edge_of_a_padded_frame_is_not_taken_from_the_source() {
    let pad = |border| Warp::crop(-5, -5, (50, 40)).with_border(border);
    let turn = |border| Warp::rotate((50, 40), 20.0).with_border(border);
    let joins = |border| pad(border).joins(&turn(border), (40, 30));
    assert!(joins(Border::Replicate) && joins(Border::Constant { fill: [0.5; 4], map_fill: 0 }));
    assert!(!joins(Border::Reflect101) && !joins(Border::Wrap));
    let flip = Warp::hflip((50, 40)).with_border(Border::Reflect101);
    assert!(flip.joins(&turn(Border::Reflect101), (50, 40)));
}

#[test]
fn a_turn_is_counterclockwise_and_exact_at_right_angles() {
    for size in [(15, 15), (15, 21), (10, 16)] {
        let mut marked = row(size, 3, [8, 5, 10, 9]);
        marked.instances.truncate(1);
        marked.instances[0].points = vec![point("right", size.0 as f32 - 1.0, 0.5 * size.1 as f32)];
        let turned = applied(&Warp::rotate(size, 90.0), &marked);
        let p = &turned.instances[0].points[0];
        assert_eq!(p.x, 0.5 * size.0 as f32);
        assert_eq!(p.y, 0.5 * size.1 as f32 - (0.5 * size.0 as f32 - 1.0));
        if size.0 == size.1 {
            same(&turned, &applied(&Warp::turn(size, 1), &marked));
        }
        // Thirty and sixty degrees make an exact right angle.
        let both = Warp::rotate(size, 30.0).then(&Warp::rotate(size, 60.0));
        same(&applied(&both, &marked), &turned);
    }
}

#[test]
fn an_axis_box_stays_one_and_a_turned_box_turns() {
    let mut row = row(SIZE, 1, [10, 8, 20, 14]);
    row.instances.drain(..1);
    row.instances.truncate(1);
    row.instances.push(turned(15.0, 11.0, 10.0, 6.0, 20.0));
    let mut upright = turned(15.0, 11.0, 10.0, 6.0, 0.0);
    upright.bbox.as_mut().unwrap().angle = UPRIGHT;
    row.instances.push(upright);
    let (sin, cos) = 30_f32.to_radians().sin_cos();
    let out = applied(&Warp::rotate(SIZE, 30.0), &row);
    let [axis, turned, upright] = [0, 1, 2].map(|i: usize| out.instances[i].bbox.unwrap());
    assert_eq!(axis.angle, 0.0);
    assert!((axis.w - (10.0 * cos + 6.0 * sin)).abs() < 1e-4 && (axis.h - (10.0 * sin + 6.0 * cos)).abs() < 1e-4);
    assert!((turned.angle + 10_f32.to_radians()).abs() < 1e-6 && (turned.w - 10.0).abs() < 1e-4);
    assert!((upright.angle + 30_f32.to_radians()).abs() < 1e-6 && (upright.h - 6.0).abs() < 1e-4);
    // The other way round it is upright again, and still no axis box.
    let back = applied(&Warp::rotate(SIZE, -30.0), &out);
    assert!(back.instances[2].bbox.unwrap().angle != 0.0);
    let stretched = applied(&Warp::resize(SIZE, (66, 26)), &row);
    let b = stretched.instances[2].bbox.unwrap();
    assert_eq!((b.cx, b.cy, b.w, b.h), (30.0, 11.0, 20.0, 6.0));
    assert!(b.angle != 0.0 && b.angle < 1e-30);
}

#[test]
fn an_instance_leaves_as_a_whole_and_stays_as_a_whole() {
    let row = row(SIZE, 1, [2, 4, 10, 10]);
    // A quarter of the rectangle is left; its centre, and with it the point, is not.
    let cut = Warp::crop(8, 0, (20, 20));
    let out = applied(&cut, &row);
    assert_eq!(out.instances.len(), 3, "only the instance that is a point has nothing left");
    assert_eq!(out.instances[0].bbox.unwrap().bounds(), [0.0, 4.0, 2.0, 10.0]);
    assert_eq!(out.instances[1].bbox.unwrap().bounds(), [0.0, 4.0, 2.0, 10.0]);
    assert!(!out.instances[0].points[0].visible);
    assert_eq!(applied(&cut.clone().with_min_visibility(0.25), &row).instances.len(), 3);
    assert_eq!(applied(&cut.clone().with_min_visibility(0.26), &row).instances, []);
    assert_eq!(applied(&Warp::crop(10, 0, (20, 20)), &row).instances, []);
}

#[test]
fn a_box_is_drawn_anew_around_what_is_left_of_a_mask() {
    let mut row = row(SIZE, 1, [0, 0, 12, 4]);
    row.instances.truncate(1);
    row.instances[0].polygon = None;
    // An L: the foot reaches far to the left, and is cut off.
    let mask = row.instances[0].mask.as_mut().unwrap();
    (4..20).for_each(|y| (8..12).for_each(|x| mask.inside[y * SIZE.0 + x] = 1));
    row.instances[0].bbox = Some(RotBox::from_corners(0.0, 0.0, 12.0, 20.0));
    let out = applied(&Warp::crop(0, 6, (20, 20)), &row);
    assert_eq!(out.instances[0].bbox.unwrap().bounds(), [8.0, 0.0, 12.0, 14.0]);
}

#[test]
fn a_known_area_grows_with_the_map_and_shrinks_with_what_is_cut_off() {
    let mut row = row(SIZE, 1, [2, 4, 10, 10]);
    row.instances.iter_mut().for_each(|i| (i.area, i.crowd) = (Some(40.0), true));
    let (w, h) = SIZE;
    let grown = applied(&Warp::resize(SIZE, (2 * w, 3 * h)), &row);
    assert!(grown.instances.iter().all(|i| i.area.is_some_and(|a| (a - 240.0).abs() < 1e-3) && i.crowd));
    let half = applied(&Warp::crop(2, 4, (4, 6)), &row);
    assert!(half.instances.iter().take(2).all(|i| i.area.is_some_and(|a| (a - 20.0).abs() < 1e-3)), "{half:?}");
    let mut tilted = Warp::identity(SIZE);
    tilted.matrix[2][0] = 0.001;
    assert!(applied(&tilted, &row).instances.iter().all(|i| i.area.is_none()));
}

#[test]
fn every_type_of_sample_is_moved_alike() {
    let byte = noise(SIZE, 3, 3);
    let as_row = |pixels| {
        let image = Image { pixels, ..byte.clone() };
        Row::new(SampleId { index: 0, key: "t".into() }, vec![Frame { number: 0, image }])
    };
    let floats = byte.to_f32();
    for warp in [Warp::rotate(SIZE, 17.0), Warp::resize(SIZE, (50, 11)), Warp::translate(SIZE, 2.5, -1.25)] {
        for how in [Interpolation::Bilinear, Interpolation::Nearest, Interpolation::Antialias] {
            let warp = warp.clone().with_interpolation(how).with_border(Border::Replicate);
            let out = |pixels| applied(&warp, &as_row(pixels)).frames.remove(0).image.to_f32();
            let exact = out(Pixels::F32(floats.clone()));
            let words = out(Pixels::U16(floats.iter().map(|&x| x as u16).collect()));
            let bytes = out(byte.pixels.clone());
            // Bytes are sampled in whole numbers with six bits after the point.
            assert!(words.iter().zip(&exact).all(|(b, x)| (b - x).abs() <= 0.501));
            assert!(bytes.iter().zip(&exact).all(|(b, x)| (b - x).abs() <= 0.53));
        }
    }
}

#[test]
fn borders_are_in_units_of_white_and_of_classes() {
    let row = row(SIZE, 1, [2, 4, 10, 10]);
    let pad = |border| applied(&Warp::crop(-2, 0, (6, 2)).with_border(border), &row);
    let out = pad(Border::Constant { fill: [0.2; 4], map_fill: 255 });
    let first = row.frames[0].image.to_f32()[0];
    assert_eq!(out.frames[0].image.to_f32()[..3], [51.0, 51.0, first]);
    assert_eq!(out.maps[0].classes[..3], [255, 255, row.maps[0].classes[0]]);
    assert_eq!(pad(Border::Replicate).frames[0].image.to_f32()[..3], [first; 3]);
    let mirrored = pad(Border::Reflect101).frames[0].image.to_f32();
    assert_eq!((mirrored[0], mirrored[1]), (mirrored[4], mirrored[3]));
}

#[test]
fn shrinking_without_aliasing_keeps_the_mean() {
    let row = row((32, 32), 1, [2, 4, 10, 10]);
    let shrink = Warp::resize((32, 32), (4, 4)).with_interpolation(Interpolation::Antialias);
    let mean = |row: &Row| {
        let v = row.frames[0].image.to_f32();
        v.iter().sum::<f32>() / v.len() as f32
    };
    let out = applied(&shrink, &row);
    assert!((mean(&out) - mean(&row)).abs() < 4.0, "{} {}", mean(&out), mean(&row));
    let spread = out.frames[0].image.to_f32().iter().fold(0_f32, |m, x| m.max((x - mean(&row)).abs()));
    assert!(spread < 40.0, "noise is averaged away: {spread}");
}

#[test]
fn a_row_that_cannot_be_moved_stays_as_it_is() {
    let good = row(SIZE, 3, [2, 4, 10, 10]);
    let mut singular = Warp::identity(SIZE);
    singular.matrix[1] = singular.matrix[0];
    let mut odd = Warp::identity(SIZE);
    odd.matrix[0][0] = f64::NAN;
    for (warp, code) in [
        (singular, "PL0207"),
        (odd, "PL0207"),
        (Warp::identity((0, 4)), "PL0208"),
        (Warp::identity((1 << 20, 1 << 20)), "PL0208"),
    ] {
        let mut row = good.clone();
        assert_eq!(warp.apply(&mut row).unwrap_err().code(), code);
        assert_eq!(row, good);
    }
    let mut other = good.clone();
    other.maps[0].width = 13;
    other.maps[0].height = SIZE.0 * SIZE.1 / 13;
    let before = other.clone();
    let error = Warp::hflip(SIZE).apply(&mut other).unwrap_err();
    assert_eq!(error.code(), "PL0340");
    assert!(error.to_string().contains("a map has 13x66 pixels where a frame has 33x26"), "{error}");
    assert_eq!(other, before);
}

#[test]
fn a_tilted_plane_ends_at_its_horizon() {
    let row = row(SIZE, 1, [2, 4, 10, 10]);
    let mut warp = Warp::identity(SIZE).with_border(Border::Constant { fill: [1.0; 4], map_fill: 7 });
    // The row of the result at y = 20 is infinitely far away; what lies below it is behind the viewer.
    warp.matrix[2] = [0.0, -0.05, 1.0];
    let out = applied(&warp, &row);
    let classes = |row: &Row, from: usize, to: usize| row.maps[0].classes[from * SIZE.0..to * SIZE.0].to_vec();
    assert_eq!(classes(&out, 0, 1), classes(&row, 0, 1));
    assert!(classes(&out, 12, SIZE.1).iter().all(|&c| c == 7));
    assert_eq!(out.instances.len(), 4);
    let b = out.instances[0].polygon.as_ref().map(bounds).unwrap();
    assert!(b[1] > 3.0 && b[3] < 8.0 && b[2] < 10.0, "nearer the viewer it is smaller: {b:?}");
    // The negative of a matrix is the same map.
    let negative = Warp { matrix: warp.matrix.map(|row| row.map(|x| -x)), ..warp };
    same(&applied(&negative, &row), &out);
}
