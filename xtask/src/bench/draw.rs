//! A report as a picture.

use std::path::Path;

use anyhow::{Error, Result};
use bench_report::{FLOOR, FLOOR_IN_ONE_PROCESS, Measure, Report, Series, Spread, Unit};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::prelude::*;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const WIDTH: u32 = 1100;
/// Of each row of charts.
const HEIGHT: u32 = 360;
/// Of what is above them.
const HEAD: i32 = 60;

const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(60, 60, 60);
const PALE: RGBColor = RGBColor(225, 225, 225);

/// Colours that are told apart by most (Okabe and Ito, Color Universal Design).
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(240, 228, 66),
];

/// The bars of the first chart.
const VERBS: [Measure; 7] = [
    Measure::Lifecycle,
    Measure::Create,
    Measure::Start,
    Measure::State,
    Measure::Delete,
    Measure::Exec,
    Measure::Kill,
];

/// What depends on a number of containers.
const GROWING: [Measure; 3] = [Measure::Together, Measure::Lifecycle, Measure::List];

/// The bars of the others.
const MEMORY: [Measure; 5] = [
    Measure::PeakOfCreate,
    Measure::PeakOfStart,
    Measure::PeakOfState,
    Measure::PeakOfExec,
    Measure::PeakOfDelete,
];
const SHIM_TIMES: [Measure; 2] = [Measure::ShimRun, Measure::ShimExec];
const SHIM_MEMORY: [Measure; 3] =
    [Measure::ShimResident, Measure::ShimProportional, Measure::ShimPrivate];
const SHIM_OUTPUT: [Measure; 1] = [Measure::ShimOutput];

/// A chart: what it shows, and how.
enum Chart {
    Bars(&'static str, &'static [Measure]),
    Lines(Measure),
}

/// Draws a report into a file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn draw(report: &Report, file: &Path) -> Result<()> {
    let there = |measure: &Measure| report.series.iter().any(|s| s.measure == *measure);
    let mut rows = vec![vec![Chart::Bars("One container at a time", &VERBS)]];
    let growing = GROWING.into_iter().filter(|measure| {
        let numbers = report.series.iter().filter(|s| s.measure == *measure).map(|s| s.among);
        numbers.clone().max() > numbers.min()
    });
    rows.push(growing.map(Chart::Lines).collect());
    rows.push(vec![Chart::Bars("Peak memory of a command", &MEMORY)]);
    if SHIM_TIMES.iter().any(there) {
        rows.push(vec![
            Chart::Bars("The shim", &SHIM_TIMES),
            Chart::Bars("Memory of a sleeping shim", &SHIM_MEMORY),
            Chart::Bars("Output through the shim", &SHIM_OUTPUT),
        ]);
    }
    rows.retain(|row| !row.is_empty());

    let height = u32::try_from(HEAD)? + HEIGHT * u32::try_from(rows.len())?;
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE).map_err(failed)?;
    let (head, body) = root.split_vertically(HEAD);
    title(report, &head)?;
    for (area, row) in body.split_evenly((rows.len(), 1)).iter().zip(&rows) {
        for (area, chart) in area.split_evenly((1, row.len())).iter().zip(row) {
            let area = area.margin(10, 10, 10, 14);
            match chart {
                Chart::Bars(title, measures) => bars(report, title, measures, &area)?,
                Chart::Lines(measure) => lines(report, *measure, &area)?,
            }
        }
    }
    root.present().map_err(failed)
}

/// plotters' errors live no longer than what they are about.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::msg(error.to_string())
}

fn color(report: &Report, contender: &str) -> RGBColor {
    match contender {
        FLOOR => RGBColor(120, 120, 120),
        FLOOR_IN_ONE_PROCESS => RGBColor(180, 180, 180),
        _ => {
            let others = report.contenders.iter().filter(|known| known.name != FLOOR);
            let index = others.take_while(|known| known.name != contender).count();
            COLORS[index % COLORS.len()]
        }
    }
}

/// What was measured where, and the legend.
fn title(report: &Report, area: &Area<'_>) -> Result<()> {
    let machine = &report.machine;
    let text = format!(
        "{}, {} processors, {}; {}",
        machine.system, machine.processors, machine.processor, report.begun
    );
    let plain = (FONT, 14).into_font().color(&INK);
    area.draw(&Text::new(text, (14, 10), plain.clone())).map_err(failed)?;
    let mut names: Vec<&str> = vec![FLOOR, FLOOR_IN_ONE_PROCESS];
    names.extend(report.contenders.iter().map(|known| known.name.as_str()));
    names.dedup();
    let mut shown: Vec<&str> = Vec::new();
    let mut x = 14;
    for name in names {
        if shown.contains(&name) {
            continue;
        }
        shown.push(name);
        let box_ = [(x, 36), (x + 12, 48)];
        let style = color(report, name).filled();
        area.draw(&Rectangle::new(box_, style)).map_err(failed)?;
        area.draw(&Text::new(name.to_owned(), (x + 18, 35), plain.clone())).map_err(failed)?;
        x += 40 + 8 * i32::try_from(name.len())?;
    }
    Ok(())
}

/// The least and the most of a chart's axis, in powers of ten.
fn limits<'a>(series: impl Iterator<Item = &'a Series>) -> Option<(f64, f64)> {
    let spreads: Vec<&Spread> = series.map(|series| &series.spread).collect();
    let least = spreads.iter().map(|spread| spread.lower).min_by(f64::total_cmp)?;
    let most = spreads.iter().map(|spread| spread.upper).max_by(f64::total_cmp)?;
    let power = |number: f64| 10_f64.powf(number);
    Some((power((least * 0.8).log10().floor()), power((most * 1.2).log10().ceil())))
}

/// A number with as many digits as one can tell apart.
fn short(number: f64) -> String {
    match number {
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// Bars to the medians, with the quartiles as whiskers, on a logarithmic scale.
fn bars(report: &Report, title: &str, measures: &[Measure], area: &Area<'_>) -> Result<()> {
    let of = |measure: Measure| {
        report.series.iter().filter(move |s| s.measure == measure && s.among == 0)
    };
    let Some((least, most)) = limits(measures.iter().flat_map(|&measure| of(measure))) else {
        return Ok(());
    };
    let unit = measures.first().map_or(Unit::Milliseconds, |measure| measure.unit());
    let width: f64 = measures.iter().map(|_| 1.0).sum();
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{title}, {unit}"), (FONT, 16).into_font().color(&INK))
        .x_label_area_size(24)
        .y_label_area_size(46)
        .build_cartesian_2d(0.0..width, (least..most).log_scale())
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .light_line_style(TRANSPARENT)
        .bold_line_style(PALE)
        .axis_style(INK)
        .y_label_formatter(&|number| short(*number))
        .label_style((FONT, 12).into_font().color(&INK))
        .draw()
        .map_err(failed)?;
    let mut left = 0.0;
    for &measure in measures {
        let count: f64 = of(measure).map(|_| 1.0).sum();
        let step = 0.84 / count.max(1.0);
        let mut x = left + 0.08;
        for series in of(measure) {
            let Spread { lower, median, upper, .. } = series.spread;
            let style = color(report, &series.contender).filled();
            let middle = x + step * 0.46;
            chart
                .draw_series([Rectangle::new([(x, least), (x + step * 0.92, median)], style)])
                .map_err(failed)?;
            chart
                .draw_series([PathElement::new([(middle, lower), (middle, upper)], INK)])
                .map_err(failed)?;
            let label = (FONT, 10).into_font().color(&INK);
            let place = (x, upper * 1.03);
            chart
                .draw_series([EmptyElement::at(place) + Text::new(short(median), (0, -11), label)])
                .map_err(failed)?;
            x += step;
        }
        let label = (FONT, 13).into_font().color(&INK);
        let name = measure.title().trim_start_matches("peak memory of ");
        let name = name.trim_start_matches("sleeping shim, ");
        chart
            .draw_series([
                EmptyElement::at((left + 0.1, least)) + Text::new(name.to_owned(), (0, 6), label)
            ])
            .map_err(failed)?;
        left += 1.0;
    }
    Ok(())
}

/// A line to the medians for each contender, both scales logarithmic.
fn lines(report: &Report, measure: Measure, area: &Area<'_>) -> Result<()> {
    let all = || report.series.iter().filter(move |s| s.measure == measure);
    // Nothing at all is left of one on a logarithmic scale.
    let place = |series: &Series| f64::from(series.among).max(0.5);
    let Some((least, most)) = limits(all()) else { return Ok(()) };
    let first = all().map(place).min_by(f64::total_cmp).unwrap_or(1.0);
    let last = all().map(place).max_by(f64::total_cmp).unwrap_or(1.0);
    let title = match measure {
        Measure::Together => "At once: milliseconds each",
        Measure::List => "list, among so many: ms",
        _ => "A lifecycle among so many: ms",
    };
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 16).into_font().color(&INK))
        .x_label_area_size(24)
        .y_label_area_size(46)
        .build_cartesian_2d((first..last * 1.2).log_scale(), (least..most).log_scale())
        .map_err(failed)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(PALE)
        .axis_style(INK)
        .x_label_formatter(&|number| format!("{number:.0}"))
        .y_label_formatter(&|number| short(*number))
        .label_style((FONT, 12).into_font().color(&INK))
        .draw()
        .map_err(failed)?;
    for contender in &report.contenders {
        let style = color(report, &contender.name).stroke_width(2);
        let mut points: Vec<_> = all()
            .filter(|series| series.contender == contender.name)
            .map(|series| (place(series), series.spread.median))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let dots = points.clone().into_iter().map(|point| Circle::new(point, 3, style.filled()));
        chart.draw_series(dots).map_err(failed)?;
        chart.draw_series(LineSeries::new(points, style)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bench_report::{Contender, Machine};

    use super::*;

    #[test]
    fn a_picture_names_every_contender_and_every_median() {
        let contender =
            |name: &str| Contender { name: name.to_owned(), version: String::new(), bytes: 1 };
        let series = |measure, name, among, median: f64| {
            Series::new(measure, name, among, &[median * 0.9, median, median * 1.1]).unwrap()
        };
        let report = Report {
            begun: "2026-11-23T12:00:00Z".to_owned(),
            command: "cargo xtask bench".to_owned(),
            machine: Machine {
                system: "Linux 6.1 x86_64".to_owned(),
                processor: "a processor".to_owned(),
                processors: 2,
                memory_mib: 1024,
                load: None,
            },
            contenders: [FLOOR, "runj", "runc"].map(contender).to_vec(),
            series: vec![
                series(Measure::Create, FLOOR, 0, 1.25),
                series(Measure::Create, "runj", 0, 12.5),
                series(Measure::Create, "runc", 0, 125.0),
                series(Measure::List, "runj", 0, 1.0),
                series(Measure::List, "runj", 10, 2.0),
            ],
            notes: vec![],
        };
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("picture.svg");
        draw(&report, &file).unwrap();
        let picture = fs::read_to_string(file).unwrap();
        for text in ["runj", "runc", "floor", "1.25", "12.5", "125", "create", "Linux 6.1"] {
            assert!(picture.contains(text), "{text}");
        }
    }
}
