//! Given draws change pixels as Albumentations 2.0.8 and torchvision do; `golden/pixels.py` made the file.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use pleach_augment as _;
use pleach_core::image::{Image, Pixels};
use pleach_core::read::{Read, Reader};
use pleach_core::tree::{Key, Node, Place, Table, Value};
use pleach_core::{Backend, DynAugmentation, Frame, Plug, Row, SampleId, Seat};
use serde_json::Value as Json;

/// The kernels seat, without kernels.
#[derive(Debug)]
struct Definitions;

impl Backend for Definitions {
    fn seats(&self) -> &'static [Seat] {
        &[Seat::Kernels]
    }
}

const AT: Place = Place { source: 0, start: 0, end: 0 };

fn node(json: &Json) -> Node {
    let value = match json {
        Json::String(s) => Value::Str(s.clone()),
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::Array(a) => Value::Array(a.iter().map(node).collect()),
        Json::Object(o) => {
            let entry = |(k, v): (&String, &Json)| (Key { name: k.clone(), place: AT }, node(v));
            Value::Table(Table { entries: o.iter().map(entry).collect() })
        }
        Json::Null => panic!("nothing to read"),
    };
    Node { value, place: AT }
}

fn plugin(case: &Json) -> Plug<dyn DynAugmentation> {
    let mut table = case["parameters"].clone();
    table["name"] = case["plugin"].clone();
    let mut reader = Reader::default();
    let plug = Plug::read(&node(&table), &mut reader);
    assert!(reader.diagnostics.is_empty(), "{case}: {:?}", reader.diagnostics);
    plug.unwrap()
}

fn unpacked(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().fold(0_u32, |bits, &c| bits << 6 | u32::from(digit(c)));
        let bits = bits << (6 * (4 - four.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    out
}

fn image(golden: &Json, name: &str, samples: &str, channels: Option<usize>) -> Image {
    let source = &golden["images"][name];
    let number = |key: &str| source[key].as_u64().unwrap() as usize;
    let bytes = unpacked(samples);
    let pixels = match source["type"].as_str().unwrap() {
        "uint8" => Pixels::U8(bytes),
        _ => Pixels::F32(bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()),
    };
    Image::new(number("width"), number("height"), channels.unwrap_or(number("channels")), pixels).unwrap()
}

fn applied(plugin: &Plug<dyn DynAugmentation>, draw: &Json, image: Image) -> Image {
    let mut row = Row::new(SampleId { index: 0, key: "golden".into() }, vec![Frame { number: 0, image }]);
    plugin.apply(draw, &mut row, &Definitions).unwrap();
    row.frames.remove(0).image
}

#[test]
fn pixels_change_as_in_albumentations_and_torchvision() {
    let golden: Json = serde_json::from_str(include_str!("golden/pixels.json")).unwrap();
    let mut wrong = Vec::new();
    for (n, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let name = case["image"].as_str().unwrap();
        let what = format!("case {n}: {} {} {} on {name}", case["plugin"], case["parameters"], case["draw"]);
        let source = image(&golden, name, golden["images"][name]["samples"].as_str().unwrap(), None);
        let channels = case["channels"].as_u64().map(|n| n as usize);
        let want = image(&golden, name, case["result"].as_str().unwrap(), channels);
        let got = applied(&plugin(case), &case["draw"], source);
        let shape = |i: &Image| (i.width, i.height, i.channels, std::mem::discriminant(&i.pixels));
        assert_eq!(shape(&got), shape(&want), "{what}");
        let levels = case["tolerance"].as_f64().unwrap() as f32;
        let allowed = match got.pixels {
            Pixels::F32(_) => case["float_tolerance"].as_f64().map_or(1e-5, |t| t as f32),
            _ => levels,
        };
        let off: Vec<f32> = got.to_f32().iter().zip(&want.to_f32()).map(|(a, b)| (a - b).abs()).collect();
        let far = off.iter().fold(0.0, |a: f32, &b| a.max(b));
        if far > allowed || far.is_nan() {
            let many = off.iter().filter(|&&x| x > allowed).count();
            wrong.push(format!("{what}: off by {far} where {allowed} is allowed, {many} of {}", off.len()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
