//! The reliability diagram as a picture.

use std::fmt::Write as _;

use super::reliability::Reliability;

/// Of the square that the diagram is drawn in.
const SIDE: f64 = 320.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 40.0;
/// Of the strip below, which shows how many hits there are.
const STRIP: f64 = 56.0;
const GAP: f64 = 44.0;
const INK: &str = "#222";
const SAID: &str = "#c0392b";
const BAR: &str = "#2e6f9e";

impl Reliability {
    /// A drawing in SVG that needs nothing else: what came true over what was said, the diagonal of perfect
    /// calibration, and how many hits there are. `title` is text, which is escaped.
    pub fn svg(&self, title: &str) -> String {
        let (width, height) = (LEFT + SIDE + 24.0, TOP + SIDE + GAP + STRIP + 40.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
        );
        let ece = self.ece();
        let heading = format!("{title} (ECE {ece:.3}, {} hits)", self.count());
        text(&mut svg, (LEFT + SIDE / 2.0, 22.0), "middle", &heading);
        self.grid(&mut svg);
        self.bars(&mut svg);
        let (x0, y0) = (LEFT, TOP + SIDE);
        let _ = writeln!(
            svg,
            "<line x1=\"{x0}\" y1=\"{y0}\" x2=\"{}\" y2=\"{TOP}\" stroke=\"{INK}\" stroke-dasharray=\"5 4\"/>",
            LEFT + SIDE
        );
        self.points(&mut svg);
        self.strip(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    /// Lines and numbers at every fifth, and what the axes mean.
    fn grid(&self, svg: &mut String) {
        for i in 0..=5 {
            let share = f64::from(i) / 5.0;
            let (x, y) = (LEFT + share * SIDE, TOP + SIDE - share * SIDE);
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {y}H{}M{x} {TOP}V{}\" stroke=\"#ddd\" fill=\"none\"/>",
                LEFT + SIDE,
                TOP + SIDE
            );
            text(svg, (LEFT - 6.0, y + 4.0), "end", &format!("{share:.1}"));
            text(
                svg,
                (x, TOP + SIDE + 16.0),
                "middle",
                &format!("{share:.1}"),
            );
        }
        let middle = LEFT + SIDE / 2.0;
        text(
            svg,
            (middle, TOP + SIDE + 34.0),
            "middle",
            "probability that was said",
        );
        let y = TOP + SIDE / 2.0;
        let _ = writeln!(
            svg,
            "<text x=\"16\" y=\"{y}\" text-anchor=\"middle\" fill=\"{INK}\" \
             transform=\"rotate(-90 16 {y})\">share that is right</text>"
        );
    }

    /// What came true.
    fn bars(&self, svg: &mut String) {
        let step = SIDE / self.bins.len() as f64;
        for (i, bin) in self.bins.iter().enumerate().filter(|(_, b)| b.count > 0) {
            let (x, height) = (LEFT + i as f64 * step + 1.0, bin.right * SIDE);
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{BAR}\" \
                 fill-opacity=\"0.75\"><title>said {:.3}, right {:.3}, {} hits</title></rect>",
                TOP + SIDE - height,
                step - 2.0,
                bin.said,
                bin.right,
                bin.count
            );
        }
    }

    /// What was said and came true, as points that should lie on the diagonal.
    fn points(&self, svg: &mut String) {
        for bin in self.bins.iter().filter(|b| b.count > 0) {
            let (x, y) = (LEFT + bin.said * SIDE, TOP + SIDE - bin.right * SIDE);
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{SAID}\" stroke=\"#fff\"/>"
            );
        }
    }

    /// How many hits there are in each bin.
    fn strip(&self, svg: &mut String) {
        let most = self.bins.iter().map(|b| b.count).max().unwrap_or(0).max(1);
        let step = SIDE / self.bins.len() as f64;
        let bottom = TOP + SIDE + GAP + STRIP;
        for (i, bin) in self.bins.iter().enumerate() {
            let height = bin.count as f64 / most as f64 * STRIP;
            let x = LEFT + i as f64 * step + 1.0;
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#999\"/>",
                bottom - height,
                step - 2.0
            );
        }
        text(
            svg,
            (LEFT - 6.0, bottom - STRIP + 10.0),
            "end",
            &most.to_string(),
        );
        text(svg, (LEFT + SIDE / 2.0, bottom + 18.0), "middle", "hits");
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{INK}\">{text}</text>"
    );
}
