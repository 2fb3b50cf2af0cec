//! A report as a table.

use std::io::Write;

use anyhow::Result;
use bench_report::{Report, Series};
use tabwriter::TabWriter;

/// Prints all series, a line each.
pub(crate) fn print(report: &Report, out: &mut impl Write) -> Result<()> {
    let mut table = TabWriter::new(Vec::new());
    writeln!(table, "what\tamong\tof\tmedian\tquartiles\tsamples\ttimes the floor")?;
    for series in &report.series {
        let Series { measure, contender, among, unit, samples, spread, to_floor } = series;
        let ratio = to_floor.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        writeln!(
            table,
            "{}\t{among}\t{contender}\t{:.2} {unit}\t{:.2} to {:.2}\t{samples}\t{ratio}",
            measure.title(),
            spread.median,
            spread.lower,
            spread.upper,
        )?;
    }
    table.flush()?;
    out.write_all(&table.into_inner()?)?;
    for note in &report.notes {
        writeln!(out, "{note}")?;
    }
    Ok(())
}
