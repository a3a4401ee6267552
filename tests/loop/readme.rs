//! The picture in the README is the screen: text, and the same drawn as SVG.
//!
//! `make picture` takes it again.

use std::fmt::Write as _;
use std::path::Path;

use super::pictures::{Picture, Step, picture};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SVG: &str = "assets/workstation.svg";
const SIZE: (u16, u16) = (110, 22);
const BEGIN: &str = "<!-- the screen: `make picture` writes what follows -->\n```text\n";
const END: &str = "\n```\n";

#[test]
fn the_readme_shows_the_screen_as_it_is() {
    let Picture { text, screen, .. } = picture(SIZE, "dark", &[Step::Answer('1'), Step::Answer('2')]);
    let text: String = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let drawn = svg(&screen);
    let (readme, file) = (Path::new(ROOT).join("README.md"), Path::new(ROOT).join(SVG));
    let before = std::fs::read_to_string(&readme).unwrap();
    let from = before.find(BEGIN).expect("the README has a place for the screen") + BEGIN.len();
    let to = from + before[from..].find(END).expect("the screen ends");
    if std::env::var_os("HARDCASE_TAKE_PICTURE").is_some() {
        std::fs::write(&readme, format!("{}{text}{}", &before[..from], &before[to..])).unwrap();
        std::fs::write(&file, drawn).unwrap();
        return;
    }
    assert_eq!(&before[from..to], text, "`make picture` takes it again");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), drawn, "`make picture` takes it again");
}

/// The screen drawn as SVG, in the terminal's own colours.
fn svg(screen: &vt100::Screen) -> String {
    let (rows, cols) = screen.size();
    let (rows, cols) = (rows.get(), cols.get());
    let (wide, high) = (8.4, 18.0);
    let (width, height) = (f64::from(cols) * wide + 24.0, f64::from(rows) * high + 24.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, Menlo, \
         Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1c1f24\"/>\n"
    );
    for row in 0..rows {
        let y = 12.0 + f64::from(row) * high;
        let mut col = 0;
        while col < cols {
            let Some(first) = screen.cell(row, col) else { break };
            let (mut text, from) = (String::new(), col);
            while let Some(cell) = screen.cell(row, col).filter(|cell| same(cell, first)) {
                text.push_str(if cell.has_contents() { cell.contents() } else { " " });
                col += 1;
            }
            let (ink, ground) = colours(first);
            let x = 12.0 + f64::from(from) * wide;
            if let Some(ground) = ground {
                let long = f64::from(col - from) * wide;
                writeln!(out, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{long:.1}\" height=\"{high}\" fill=\"{ground}\"/>").unwrap();
            }
            if !text.trim().is_empty() {
                let weight = if first.bold() { " font-weight=\"bold\"" } else { "" };
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let long = f64::from(col - from) * wide;
                writeln!(
                    out,
                    "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{long:.1}\" xml:space=\"preserve\" fill=\"{ink}\"{weight}>{text}</text>",
                    y + 13.5
                )
                .unwrap();
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

fn same(a: &vt100::Cell, b: &vt100::Cell) -> bool {
    (a.fgcolor(), a.dim(), a.bold(), a.inverse()) == (b.fgcolor(), b.dim(), b.bold(), b.inverse())
}

/// Ink, and the ground where it is not the screen's.
fn colours(cell: &vt100::Cell) -> (&'static str, Option<&'static str>) {
    const PALETTE: [&str; 16] = [
        "#1c1f24", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#dcdfe4", "#7a818e",
        "#ff7a85", "#b5e890", "#ffd68a", "#7cc0ff", "#e19df5", "#6fd8e5", "#ffffff",
    ];
    let ink = match cell.fgcolor() {
        vt100::Color::Idx(n) => PALETTE.get(usize::from(n)).copied().unwrap_or("#dcdfe4"),
        _ if cell.dim() => "#7a818e",
        _ => "#dcdfe4",
    };
    if cell.inverse() { ("#1c1f24", Some(ink)) } else { (ink, None) }
}
