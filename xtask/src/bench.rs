//! `cargo xtask bench`: how fast runj is, beside its floor and other runtimes.

pub(crate) mod draw;
mod peers;
pub(crate) mod table;

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use bench_report::Report;
use clap::Args;

use self::peers::Peers;
use crate::build::{build, find};
use crate::run::{command_line, read, run};

/// Where reports and pictures are put, unless told otherwise.
const OUT: &str = "docs/bench";
/// Apart from what cargo builds by itself, since it is linked in another way.
const TARGET_DIR: &str = "target/bench";

/// Measures runj beside its floor and other runtimes
///
/// The floor is a program that makes only the system calls that the job needs. Other runtimes are
/// those that this machine has; runc and crun are fetched from Debian into target/bench where it
/// lacks them. Writes a report (JSON) and a picture (SVG) into docs/bench. Times are the machine's,
/// so what tells something is the ratios.
#[derive(Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) extent: Extent,

    /// Leave containerd and the shim out
    #[arg(long)]
    no_shim: bool,

    /// Another runtime, by a name that says how it is called, such as runj:before or crun:new
    #[arg(long = "runtime", value_name = "NAME=PROGRAM")]
    runtimes: Vec<String>,

    /// The directory to write to
    #[arg(long, value_name = "DIR", default_value = OUT)]
    out: PathBuf,

    /// Measure nothing: draw the picture of a report that is there, and print its table
    #[arg(long, value_name = "REPORT")]
    draw: Option<PathBuf>,
}

/// How much is measured.
#[derive(Args)]
pub(crate) struct Extent {
    /// How often the lifecycle, the verbs and the shim are measured
    #[arg(long, value_name = "NUMBER", default_value_t = 40)]
    samples: u32,

    /// Numbers of running containers among which list and a lifecycle are measured; 0 and nothing
    /// else leaves that out
    #[arg(long, value_name = "NUMBERS", default_value = "0,10,100,1000")]
    among: String,

    /// Numbers of lifecycles to begin at once
    #[arg(long, value_name = "NUMBERS", default_value = "1,2,5,10,50,100,500")]
    together: String,
}

impl Extent {
    /// As arguments of bench-measure.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let Self { samples, among, together } = self;
        let samples = samples.to_string();
        let pairs = [("--samples", &samples), ("--among", among), ("--together", together)];
        pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value.clone()]).collect()
    }
}

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(report) = &self.draw {
            return conclude(report);
        }
        let mut programs = Vec::new();
        // Each on its own, or else it gets what the others' libraries can do as well.
        for package in ["runj-shim", "xtask"] {
            let mut cargo = Command::new("cargo");
            cargo.args(["build", "--release", "--package", package, "--bins"]);
            programs.extend(build(&mut cargo)?);
        }
        let runj = static_program("runj-cli", "runj")?;
        // What is in the containers, too, finds no libraries there.
        let floor = static_program("xtask", "bench-floor")?;
        let peers = Peers::find()?;

        fs::create_dir_all(&self.out)?;
        let report = self.out.join(format!("{}.json", env::consts::OS));
        let mut measure = Command::new(find(&programs, "bench-measure")?);
        measure.arg("--floor").arg(floor);
        measure.arg("--runtime").arg(format!("runj={}", runj.display()));
        for runtime in peers.runtimes.iter().chain(&self.runtimes) {
            measure.args(["--runtime", runtime]);
        }
        measure.args(self.extent.arguments()).arg("--out").arg(&report);
        measure.args(["--command", &this_command()]);
        if let Some(library_path) = &peers.library_path {
            measure.env("LD_LIBRARY_PATH", library_path);
        }
        if !self.no_shim && cfg!(target_os = "linux") {
            crate::containerd::set_up()?;
            measure.arg("--shim").env("RUNJ", runj);
            measure.env("RUNJ_SHIM", find(&programs, "containerd-shim-runj-v1")?);
            // Where runc's shim looks for runc.
            let path = env::var_os("PATH").unwrap_or_default();
            let fetched = peers.runtimes.iter().filter_map(|runtime| runtime.split_once('='));
            let fetched =
                fetched.filter_map(|(_, file)| Some(Path::new(file).parent()?.to_owned()));
            measure.env("PATH", env::join_paths(env::split_paths(&path).chain(fetched))?);
        }
        run(&mut measure)?;
        conclude(&report)
    }
}

/// Draws the picture beside a report, and prints the table.
pub(crate) fn conclude(path: &Path) -> Result<()> {
    let report = Report::read(path).with_context(|| format!("{}", path.display()))?;
    let picture = path.with_extension("svg");
    draw::draw(&report, &picture)?;
    table::print(&report, &mut io::stdout().lock())?;
    eprintln!("written: {} and {}", path.display(), picture.display());
    Ok(())
}

/// The command that this is, for the report.
pub(crate) fn this_command() -> String {
    let mut cargo = Command::new("cargo");
    command_line(cargo.arg("xtask").args(env::args_os().skip(1)))
}

/// A program that does not pay for dynamic linking, nor for being moved to where it is loaded.
fn static_program(package: &str, name: &str) -> Result<PathBuf> {
    let host = read(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let host = host.trim_end();
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--package", package, "--bin", name]);
    cargo.args(["--target", host, "--target-dir", TARGET_DIR]);
    let flags = r#"["-Ctarget-feature=+crt-static", "-Crelocation-model=static"]"#;
    cargo.arg("--config").arg(format!("target.{host}.rustflags={flags}"));
    let programs = build(&mut cargo)?;
    find(&programs, name).map(Path::to_owned)
}
