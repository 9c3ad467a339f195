//! Draws pictures of the ground from above with captions and keywords, in the layout of RSICD and RSITMD: a set to try remote-sensing
//! recipes on where the real ones cannot be had.
//!
//!     cargo run --release --example aerial -- data/aerial 1500
//!
//! Everything comes from one seed. A scene has a ground, one kind of thing many times, and something beside it; captions name them
//! in five ways, as people do: with other words, with counts, with less. `keywords.txt` holds what is there.

use std::error::Error;
use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIDE: u32 = 224;
const SEED: u64 = 2024;

type Colour = [u8; 3];

const GRASS: Colour = [96, 130, 70];
const SAND: Colour = [205, 190, 150];
const SOIL: Colour = [150, 120, 85];
const ASPHALT: Colour = [110, 110, 112];
const WATER: Colour = [50, 85, 110];
const FOREST: Colour = [45, 80, 45];
const WHITE: Colour = [235, 235, 232];
const RED: Colour = [170, 70, 55];
const BLUE: Colour = [70, 100, 160];
const GREY: Colour = [165, 165, 165];

/// What is on the ground many times.
struct Thing {
    one: &'static str,
    many: &'static str,
    draw: fn(&mut Scene, f32, f32, Colour),
    colours: &'static [(&'static str, Colour)],
    /// The place, with its ground.
    places: &'static [(&'static str, Colour)],
}

const THINGS: [Thing; 8] = [
    Thing {
        one: "plane",
        many: "planes",
        draw: plane,
        colours: &[("white", WHITE)],
        places: &[("airport", ASPHALT)],
    },
    Thing {
        one: "ship",
        many: "ships",
        draw: ship,
        colours: &[("white", WHITE), ("red", RED)],
        places: &[("port", WATER), ("river", WATER)],
    },
    Thing {
        one: "storage tank",
        many: "storage tanks",
        draw: tank,
        colours: &[("white", WHITE), ("grey", GREY)],
        places: &[("industrial area", SOIL), ("oil depot", ASPHALT)],
    },
    Thing {
        one: "house",
        many: "houses",
        draw: house,
        colours: &[("red", RED), ("blue", BLUE), ("grey", GREY)],
        places: &[("residential area", GRASS), ("village", SOIL)],
    },
    Thing {
        one: "car",
        many: "cars",
        draw: car,
        colours: &[("white", WHITE), ("red", RED), ("blue", BLUE)],
        places: &[("parking lot", ASPHALT)],
    },
    Thing {
        one: "tree",
        many: "trees",
        draw: tree,
        colours: &[("green", FOREST)],
        places: &[("park", GRASS), ("desert", SAND)],
    },
    Thing {
        one: "tennis court",
        many: "tennis courts",
        draw: court,
        colours: &[("blue", BLUE), ("red", RED)],
        places: &[("school", GRASS), ("sports ground", SAND)],
    },
    Thing {
        one: "pond",
        many: "ponds",
        draw: pond,
        colours: &[("dark", WATER)],
        places: &[("farmland", SOIL), ("meadow", GRASS)],
    },
];

/// What lies beside.
struct Beside {
    name: &'static str,
    told: &'static str,
    draw: fn(&mut Scene),
}

const BESIDE: [Beside; 5] = [
    Beside {
        name: "road",
        told: "a straight road",
        draw: |s| s.stripe(ASPHALT, 12.0),
    },
    Beside {
        name: "river",
        told: "a winding river",
        draw: |s| s.bend(WATER, 22.0),
    },
    Beside {
        name: "forest",
        told: "a dark green forest",
        draw: |s| s.border(FOREST),
    },
    Beside {
        name: "beach",
        told: "a yellow beach",
        draw: |s| s.border(SAND),
    },
    Beside {
        name: "railway",
        told: "a railway",
        draw: |s| s.stripe([80, 70, 65], 5.0),
    },
];

struct Scene {
    picture: RgbImage,
    rng: ChaCha8Rng,
}

impl Scene {
    fn new(ground: Colour, rng: ChaCha8Rng) -> Self {
        let mut scene = Self {
            picture: RgbImage::new(SIDE, SIDE),
            rng,
        };
        scene.fill(ground, |_, _| true);
        scene
    }

    /// Paints where `inside` holds, with some noise.
    fn fill(&mut self, colour: Colour, inside: impl Fn(f32, f32) -> bool) {
        for (x, y, pixel) in self.picture.enumerate_pixels_mut() {
            if inside(x as f32, y as f32) {
                let noise = self.rng.gen_range(-9_i16..=9);
                *pixel = Rgb(colour.map(|c| (i16::from(c) + noise).clamp(0, 255) as u8));
            }
        }
    }

    fn rectangle(&mut self, colour: Colour, [left, top, width, height]: [f32; 4]) {
        self.fill(colour, |x, y| {
            x >= left && x < left + width && y >= top && y < top + height
        });
    }

    fn disc(&mut self, colour: Colour, cx: f32, cy: f32, radius: f32) {
        self.fill(colour, |x, y| (x - cx).hypot(y - cy) < radius);
    }

    fn stripe(&mut self, colour: Colour, wide: f32) {
        let (at, slope) = (
            self.rng.gen_range(20.0..200.0),
            self.rng.gen_range(-0.4..0.4_f32),
        );
        self.fill(colour, |x, y| {
            (y - at - slope * (x - 112.0)).abs() < wide / 2.0
        });
    }

    fn bend(&mut self, colour: Colour, wide: f32) {
        let (at, phase) = (
            self.rng.gen_range(50.0..170.0),
            self.rng.gen_range(0.0..6.0),
        );
        self.fill(colour, |x, y| {
            (y - at - 25.0 * (x / 35.0 + phase).sin()).abs() < wide / 2.0
        });
    }

    fn border(&mut self, colour: Colour) {
        let (wide, side) = (self.rng.gen_range(35.0..70.0), self.rng.gen_range(0..4));
        let last = SIDE as f32;
        self.fill(colour, |x, y| [x, y, last - x, last - y][side] < wide);
    }
}

fn plane(s: &mut Scene, x: f32, y: f32, colour: Colour) {
    s.rectangle(colour, [x - 2.0, y - 12.0, 4.0, 24.0]);
    s.rectangle(colour, [x - 11.0, y - 3.0, 22.0, 5.0]);
    s.rectangle(colour, [x - 5.0, y + 8.0, 10.0, 3.0]);
}

fn ship(s: &mut Scene, x: f32, y: f32, colour: Colour) {
    s.fill(colour, |px, py| {
        (px - x).powi(2) / 250.0 + (py - y).powi(2) / 25.0 < 1.0
    });
    s.rectangle([90, 90, 95], [x - 4.0, y - 2.0, 8.0, 4.0]);
}

fn tank(s: &mut Scene, x: f32, y: f32, colour: Colour) {
    s.disc([60, 60, 60], x + 3.0, y + 3.0, 12.0);
    s.disc(colour, x, y, 12.0);
}

fn house(s: &mut Scene, x: f32, y: f32, colour: Colour) {
    s.rectangle([60, 60, 60], [x - 8.0, y - 6.0, 21.0, 17.0]);
    s.rectangle(colour, [x - 10.0, y - 8.0, 20.0, 16.0]);
    s.rectangle(
        colour.map(|c| c.saturating_add(25)),
        [x - 10.0, y - 8.0, 20.0, 8.0],
    );
}

fn car(s: &mut Scene, x: f32, y: f32, colour: Colour) {
    s.rectangle(colour, [x - 6.0, y - 3.0, 12.0, 6.0]);
    s.rectangle([40, 45, 50], [x - 2.0, y - 2.0, 4.0, 4.0]);
}

fn tree(s: &mut Scene, x: f32, y: f32, colour: Colour) {
    s.disc([30, 45, 30], x + 2.0, y + 2.0, 8.0);
    s.disc(colour, x, y, 8.0);
}

fn court(s: &mut Scene, x: f32, y: f32, colour: Colour) {
    s.rectangle(colour, [x - 13.0, y - 8.0, 26.0, 16.0]);
    s.rectangle(WHITE, [x - 1.0, y - 8.0, 2.0, 16.0]);
    s.rectangle(WHITE, [x - 13.0, y - 1.0, 26.0, 1.0]);
}

fn pond(s: &mut Scene, x: f32, y: f32, colour: Colour) {
    s.fill(colour, |px, py| {
        (px - x).powi(2) / 170.0 + (py - y).powi(2) / 90.0 < 1.0
    });
}

/// A picture, its captions and its keywords.
fn scene(rng: &mut ChaCha8Rng) -> (RgbImage, Vec<String>, Vec<String>) {
    let pick = |rng: &mut ChaCha8Rng, n: usize| rng.gen_range(0..n);
    let thing = &THINGS[pick(rng, THINGS.len())];
    let (colour_name, colour) = thing.colours[pick(rng, thing.colours.len())];
    let (place, ground) = thing.places[pick(rng, thing.places.len())];
    let Beside {
        name: beside,
        told,
        draw,
    } = &BESIDE[pick(rng, BESIDE.len())];
    let count = *[1, 2, 3, 8, 20].choose(rng).unwrap_or(&1);
    let mut scene = Scene::new(ground, ChaCha8Rng::seed_from_u64(rng.r#gen()));
    draw(&mut scene);
    // places on a grid, so that things do not lie on each other
    let mut cells: Vec<(f32, f32)> = (0..36).map(|i| ((i % 6) as f32, (i / 6) as f32)).collect();
    cells.shuffle(rng);
    for (column, row) in cells.into_iter().take(count) {
        let mut place = |cell: f32| 20.0 + cell * 36.0 + rng.gen_range(-5.0..5.0);
        let (x, y) = (place(column), place(row));
        (thing.draw)(&mut scene, x, y, colour);
    }
    let things = if count == 1 { thing.one } else { thing.many };
    let (number, is) = match count {
        1 => ("a", "is"),
        2 => ("two", "are"),
        3 => ("three", "are"),
        8 => ("several", "are"),
        _ => ("many", "are"),
    };
    let near = *["near", "beside", "next to"].choose(rng).unwrap_or(&"near");
    let captions = vec![
        format!("{number} {colour_name} {things} {is} in the {place} {near} {told}"),
        format!("{number} {things} {is} {near} {told}"),
        format!("the {place} has {number} {colour_name} {things}"),
        format!("this is a {place} with {number} {things} and {told}"),
        format!("{told} {near} {number} {colour_name} {things}"),
    ];
    let keywords = [place, thing.one, colour_name, beside].map(|k| k.replace(' ', "-"));
    (scene.picture, captions, keywords.into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(pictures)) = (args.next(), args.next()) else {
        return Err("say a new folder and a number of pictures: aerial data/aerial 1500".into());
    };
    let (folder, pictures) = (Path::new(&folder), pictures.parse::<usize>()?);
    fs::create_dir_all(folder.join("images"))?;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut lists: [[String; 2]; 3] = Default::default();
    let mut keywords = String::new();
    for i in 0..pictures {
        let (picture, captions, words) = scene(&mut rng);
        let name = format!("{i:05}.png");
        picture.save(folder.join("images").join(&name))?;
        let split = match i % 10 {
            0 => 1,
            1 | 2 => 2,
            _ => 0,
        };
        for caption in captions {
            lists[split][0] += &format!("{caption}\n");
            lists[split][1] += &format!("{name}\n");
        }
        keywords += &format!("{name}\t{}\n", words.join(" "));
    }
    for (split, [captions, names]) in ["train", "val", "test"].into_iter().zip(lists) {
        fs::write(folder.join(format!("{split}_caps.txt")), captions)?;
        fs::write(folder.join(format!("{split}_filename.txt")), names)?;
    }
    fs::write(folder.join("keywords.txt"), keywords)?;
    Ok(())
}
