//! Seconds of a step of the captioner on made-up data.
use half::f16;
use tuwen_nets::captioner::{Captioned, Captioner};
use tuwen_nets::params::CaptionerParams;
use tuwen_nets::regions::Regions;
use tuwen_nets::training::Event;

fn main() {
    let mut params = CaptionerParams::default();
    params.plan.epochs = 1;
    let (cells, width, pictures, words) = (49, 384, 256, 5000);
    let values: Vec<f16> = (0..cells * width * pictures)
        .map(|i| f16::from_f32(((i * 7919) % 1000) as f32 / 500.0 - 1.0))
        .collect();
    let captions = (0..pictures)
        .map(|p| {
            (0..5)
                .map(|c| {
                    (0..8 + (p + 3 * c) % 10)
                        .map(|w| (4 + (p * 31 + c * 17 + w * w * 13) % (words - 4)) as u32)
                        .collect()
                })
                .collect()
        })
        .collect();
    let data = Captioned {
        regions: Regions {
            values: &values,
            cells,
            width,
        },
        captions,
    };
    let net = Captioner::learn(&params, &data, None, words, 1, None, &mut |e| {
        if let Event::Step {
            done,
            loss,
            seconds,
            ..
        } = e
        {
            println!("{done} {loss} {seconds:.2}");
        }
    })
    .unwrap();
    let mut hash = 0u64;
    for (_, v) in net.weights() {
        for x in v {
            hash = hash.wrapping_mul(31).wrapping_add(u64::from(x.to_bits()));
        }
    }
    println!("{hash:x}");
    let began = std::time::Instant::now();
    let few = Regions {
        values: &values[..cells * width * 32],
        cells,
        width,
    };
    println!(
        "{:?} {:.1} s",
        net.write(few)[0],
        began.elapsed().as_secs_f64()
    );
}
