//! One chart as SVG: lines, points, limits and marks over an axis of time or load.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Half of a screen's width on a desk, all of a telephone's: the labels are readable on both.
const WIDTH: u32 = 480;
const HEIGHT: u32 = 250;
const TEXT: u32 = 13;
/// No latency, load or number of instances is so large; beyond it, differences between numbers are lost to a picture.
const TOO_FAR: f64 = 1e15;

/// Colours that the style sheet maps to those of the theme.
pub(super) const LATENCY: RGBColor = RGBColor(0x0b, 0x62, 0xa4);
pub(super) const OTHER: RGBColor = RGBColor(0x9a, 0x3d, 0x00);
pub(super) const LIMIT: RGBColor = RGBColor(0xb3, 0x26, 0x1e);
pub(super) const PLAN: RGBColor = RGBColor(0x1a, 0x7f, 0x37);
pub(super) const QUIET: RGBColor = RGBColor(0x6e, 0x77, 0x81);
const GRID: RGBColor = RGBColor(0xd0, 0xd7, 0xde);

/// What is drawn.
pub(super) struct Chart<'a> {
    /// What the picture shows, for those who cannot see it.
    pub label: String,
    /// Where the axes begin and end.
    pub x: (f64, f64),
    pub y_end: f64,
    /// The axes' names, with their units.
    pub names: (&'a str, &'a str),
    /// How a value on the x axis is written.
    pub x_text: &'a dyn Fn(f64) -> String,
    pub marks: Vec<Drawn>,
}

/// One thing in a chart.
pub(super) enum Drawn {
    /// A line, with a gap wherever a piece ends.
    Line(RGBColor, Vec<Vec<(f64, f64)>>),
    /// Points, so many pixels wide.
    Points(RGBColor, i32, Vec<(f64, f64)>),
    /// A dashed line at a height, with its name.
    Level(RGBColor, f64, String),
    /// A dashed line at a place, with its name.
    Place(RGBColor, f64, String),
    /// Everything between two places.
    Range(RGBColor, f64, f64),
}

impl Chart<'_> {
    /// The chart as an SVG element. None where its axes end nowhere: a number was not one, or too large to be drawn.
    pub fn svg(&self) -> Option<String> {
        if ![self.x.0, self.x.1, self.y_end].into_iter().all(|end| end.abs() < TOO_FAR) {
            return None;
        }
        let mut svg = String::new();
        self.draw(&SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area()).ok()?;
        // The element itself scales with the page, and says what it shows.
        let (_, rest) = svg.split_once('>')?;
        Some(format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">{rest}",
            super::escape(&self.label)
        ))
    }

    fn draw(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    ) -> Result<(), DrawingAreaErrorKind<<SVGBackend<'_> as DrawingBackend>::ErrorType>> {
        let (begin, end) = (self.x.0, self.x.1.max(self.x.0 + f64::EPSILON));
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(14)
            .x_label_area_size(38)
            .y_label_area_size(58)
            .build_cartesian_2d(begin..end, 0.0..self.y_end.max(f64::MIN_POSITIVE))?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(QUIET)
            .x_labels(6)
            .y_labels(5)
            .x_desc(self.names.0)
            .y_desc(self.names.1)
            .label_style(("sans-serif", TEXT))
            .axis_desc_style(("sans-serif", TEXT))
            .x_label_formatter(&|x| (self.x_text)(*x))
            .y_label_formatter(&|y| super::figures::number(*y))
            .draw()?;
        // What lies outside would be drawn over the rest of the page, dash by dash up to where it is.
        let is_in = |x: f64| (begin..=end).contains(&x);
        let is_below = |y: f64| (0.0..=self.y_end).contains(&y);
        for mark in &self.marks {
            match mark {
                Drawn::Line(colour, pieces) => {
                    let shown = pieces.iter().flat_map(|piece| piece.split(|(x, y)| !is_in(*x) || !is_below(*y)));
                    for piece in shown {
                        chart.draw_series(LineSeries::new(piece.iter().copied(), colour.stroke_width(2)))?;
                    }
                }
                Drawn::Points(colour, width, points) => {
                    let shown = points.iter().copied().filter(|(x, y)| is_in(*x) && is_below(*y));
                    let dot = |point| Circle::new(point, width / 2, colour.mix(0.45).filled());
                    chart.draw_series(shown.map(dot))?;
                }
                Drawn::Level(colour, y, name) if is_below(*y) => {
                    chart.draw_series(DashedLineSeries::new([(begin, *y), (end, *y)], 6, 4, colour.stroke_width(2)))?;
                    let place = (begin + 0.01 * (end - begin), *y + 0.035 * self.y_end);
                    chart.draw_series(std::iter::once(Text::new(name.clone(), place, name_style(colour))))?;
                }
                Drawn::Place(colour, x, name) if is_in(*x) => {
                    let line = [(*x, 0.0), (*x, self.y_end)];
                    chart.draw_series(DashedLineSeries::new(line, 3, 4, colour.stroke_width(2)))?;
                    let is_late = *x > begin + 0.6 * (end - begin);
                    let side = if is_late { HPos::Right } else { HPos::Left };
                    let shift = if is_late { -0.01 } else { 0.01 } * (end - begin);
                    let style = name_style(colour).pos(Pos::new(side, VPos::Top));
                    chart.draw_series(std::iter::once(Text::new(name.clone(), (*x + shift, self.y_end), style)))?;
                }
                Drawn::Level(..) | Drawn::Place(..) => {}
                Drawn::Range(colour, low, high) => {
                    let corners = [(low.clamp(begin, end), 0.0), (high.clamp(begin, end), self.y_end)];
                    chart.draw_series(std::iter::once(Rectangle::new(corners, colour.mix(0.15).filled())))?;
                }
            }
        }
        area.present()
    }
}

fn name_style(colour: &RGBColor) -> TextStyle<'_> {
    TextStyle::from(("sans-serif", TEXT).into_font()).color(colour).pos(Pos::new(HPos::Left, VPos::Bottom))
}
