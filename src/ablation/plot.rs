//! A ladder as an SVG picture: one bar of mR per row, with its 95 % interval. Rows copied from papers are hollow.
//! The same figures give the same bytes.

use std::fmt::Write as _;

use super::page::Shown;

/// Height of a row, and of the bar in it.
const ROW: f64 = 28.0;
const BAR: f64 = 16.0;
/// Width of the part with bars, and of the figures right of it.
const BARS: f64 = 460.0;
const FIGURES: f64 = 240.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 48.0;
/// Mean advance of a 13-pixel sans-serif letter; an ideograph takes two.
const LETTER: f64 = 7.2;

const STYLE: &str = "text{font:13px 'Noto Sans CJK SC','DejaVu Sans',sans-serif;fill:#222;paint-order:stroke;stroke:#fff;stroke-width:3px}\
.t{font-size:16px;font-weight:600}.n{fill:#666}.a{font-size:12px;fill:#666}\
.g{stroke:#e4e4e4}.z{stroke:#888}.b{fill:#4878a8}.q{fill:#9bb8d3}\
.p{fill:none;stroke:#4878a8;stroke-width:1.5;stroke-dasharray:4 3}\
.w{stroke:#1b2f45;stroke-width:1.5;fill:none}.c{stroke:#b5532a;stroke-dasharray:3 3}.k{font-size:12px;fill:#b5532a}";

enum Bar {
    Measured {
        mean_recall: f64,
        interval: Option<[f64; 2]>,
        transductive: bool,
    },
    Published(f64),
    None(&'static str),
}

fn bars(shown: &Shown) -> Vec<(String, Bar)> {
    let mut bars = Vec::new();
    for row in &shown.rows {
        let transductive = row.entry.recipe.transductive();
        let bar = match row.measured().map(|m| &m.run.report) {
            Some(r) => match r.mean_recall {
                Some(mean_recall) => Bar::Measured {
                    mean_recall,
                    interval: r.ci95.mean_recall,
                    transductive,
                },
                None => Bar::None("one direction only"),
            },
            None => Bar::None("not run"),
        };
        bars.push((row.entry.recipe.name.clone(), bar));
    }
    for p in &shown.published {
        let label = format!("{} · {}", p.name, p.dataset);
        bars.push((label, Bar::Published(p.mean_recall())));
    }
    bars
}

/// The approximate width of a text in pixels.
fn width(text: &str) -> f64 {
    let wide = |c: char| if c < '\u{2e80}' { 1.0 } else { 2.0 };
    LETTER * text.chars().map(wide).sum::<f64>()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The smallest of 1, 2, 5, 10, ... with at most six steps up to `max`.
fn tick(max: f64) -> f64 {
    let mut step = 1.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle() {
        if max / step <= 6.0 {
            break;
        }
        step *= factor;
    }
    step
}

/// Draws a ladder as SVG, with `title` above the bars.
pub fn plot(title: &str, shown: &Shown) -> String {
    let bars = bars(shown);
    let right = |bar: &Bar| match bar {
        Bar::Measured {
            mean_recall,
            interval,
            ..
        } => interval.map_or(*mean_recall, |[_, high]| high.max(*mean_recall)),
        Bar::Published(m) => *m,
        Bar::None(_) => 0.0,
    };
    let most = bars.iter().map(|(_, b)| right(b)).fold(1.0, f64::max);
    let step = tick(most);
    let max = step * (most / step).ceil();
    let left = 24.0 + bars.iter().map(|(l, _)| width(l)).fold(80.0, f64::max);
    let x = |v: f64| left + BARS * v / max;
    let bottom = TOP + ROW * bars.len() as f64;
    let total = (left + BARS + FIGURES).max(width(title) * 1.25 + 24.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{total:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {total:.0} {height:.0}\">\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text class=\"t\" x=\"12\" y=\"26\">{}</text>\n",
        escaped(title),
        height = bottom + BOTTOM,
    );
    let mut put = |line: String| svg.extend([line.as_str(), "\n"]);
    for i in 0..=(max / step).round() as usize {
        let (value, class) = (step * i as f64, if i == 0 { "z" } else { "g" });
        let at = x(value);
        put(format!(
            "<path class=\"{class}\" d=\"M{at:.1} {:.1}V{bottom:.1}\"/>\
             <text class=\"a\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value:.0}</text>",
            TOP - 4.0,
            bottom + 18.0
        ));
    }
    put(format!(
        "<text class=\"a\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">mR, per cent</text>",
        x(max / 2.0),
        bottom + 36.0
    ));
    if let Some(c) = shown.chance() {
        put(format!(
            "<path class=\"c\" d=\"M{at:.1} {:.1}V{bottom:.1}\"/>\
             <text class=\"k\" x=\"{at:.1}\" y=\"{:.1}\">chance {c:.1}</text>",
            TOP - 4.0,
            TOP - 10.0,
            at = x(c)
        ));
    }
    for (i, (label, bar)) in bars.iter().enumerate() {
        put(drawn(label, bar, TOP + ROW * (i as f64 + 0.5), left, &x));
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws a row whose middle is at `y`.
fn drawn(label: &str, bar: &Bar, y: f64, left: f64, x: &dyn Fn(f64) -> f64) -> String {
    let (top, base) = (y - BAR / 2.0, y + 4.5);
    let mut out = format!(
        "<text x=\"{:.1}\" y=\"{base:.1}\" text-anchor=\"end\">{}</text>",
        left - 10.0,
        escaped(label)
    );
    let mut rect = |class: &str, value: f64| {
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{BAR}\"/>",
            x(value) - left
        ); // writing to memory does not fail
    };
    let (end, note) = match bar {
        Bar::Measured {
            mean_recall,
            interval,
            transductive,
        } => {
            rect(if *transductive { "q" } else { "b" }, *mean_recall);
            let mut note = format!("{mean_recall:.2}");
            let mut end = *mean_recall;
            if let Some([low, high]) = interval {
                let _ = write!(
                    out,
                    "<path class=\"w\" d=\"M{a:.1} {y:.1}H{b:.1}M{a:.1} {t:.1}v8M{b:.1} {t:.1}v8\"/>",
                    a = x(*low),
                    b = x(*high),
                    t = y - 4.0
                );
                let _ = write!(note, " [{low:.1}, {high:.1}]");
                end = end.max(*high);
            }
            if *transductive {
                note.push_str(" transductive");
            }
            (end, note)
        }
        Bar::Published(value) => {
            rect("p", *value);
            (*value, format!("{value:.2} published"))
        }
        Bar::None(reason) => (0.0, (*reason).to_owned()),
    };
    let class = if matches!(bar, Bar::None(_)) { "n" } else { "" };
    let _ = write!(
        out,
        "<text class=\"{class}\" x=\"{:.1}\" y=\"{base:.1}\">{note}</text>",
        x(end) + 8.0
    );
    out
}
