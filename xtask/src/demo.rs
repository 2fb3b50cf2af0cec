//! `cargo xtask demo`: containers try to use the host's IPv4, and what comes of it is compared
//! with what jail(8) promises.

mod bundle;
mod case;
mod server;

use std::env;
use std::io::{self, BufRead as _, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use nix::unistd::geteuid;
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use tabwriter::TabWriter;

use self::bundle::Bundle;
use self::case::{CASES, Call, Case, HOST, Kind, OWN, Seen};
use self::server::{Server, Visit};
use crate::run::{command_line, run};

/// How long the host tries to reach a server in a container.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows what containers can reach: a server on the host from inside, and one inside from the host
///
/// Builds runj and makes a bundle below target/demo, whose root borrows the host's own programs.
/// Every container's process is a real one that makes real connections, or cannot; the verdicts
/// are made from what it and the host saw. Shows all commands as one would type them, and leaves
/// nothing behind.
#[derive(Args)]
pub(crate) struct Demo;

impl Demo {
    pub(crate) fn run(&self) -> Result<()> {
        ensure!(geteuid().is_root(), "the demo makes jails and mounts: run it as root");
        // From here on a signal stops the demo between two steps. The step itself gets it from the
        // terminal, too, or is over in seconds.
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGHUP, SIGINT, SIGTERM] {
            flag::register_usize(number, Arc::clone(&signal), usize::try_from(number)?)
                .context("cannot catch signals")?;
        }

        let bundle = build()?;
        // What a demo has left that was killed.
        bundle.clear()?;
        let shown = show(&bundle, &signal, &mut io::stdout());
        let cleared = bundle.clear().context("the demo could not be cleared away");
        if let Ok(number @ 1..) = i32::try_from(signal.load(Ordering::Relaxed)) {
            // Ends as if the signal had not been caught.
            low_level::emulate_default_handler(number)?;
        }
        let rows = shown?;
        cleared?;
        conclude(&rows, io::stdout())
    }
}

/// Builds the programs, next to this one.
fn build() -> Result<Bundle> {
    let packages = ["--package", "runj-cli", "--bin", "runj", "--package", "xtask"];
    run(Command::new("cargo").arg("build").args(packages).args(["--bin", "demo-probe"]))?;
    let this = env::current_exe().context("where this program is")?;
    let directory = this.parent().context("where this program is")?;
    // As short as one would type it.
    let workspace = env::current_dir().context("the current directory")?;
    let directory = directory.strip_prefix(&workspace).unwrap_or(directory);
    Ok(Bundle { runj: directory.join("runj"), probe: directory.join("demo-probe") })
}

/// A row of the table.
struct Row {
    case: &'static Case,
    seen: Seen,
}

/// Runs the containers, one after the other.
fn show(bundle: &Bundle, signal: &AtomicUsize, out: &mut impl Write) -> Result<Vec<Row>> {
    let server = Server::start(HOST, OWN).context("cannot start the server on the host")?;
    let port = server.port;
    if cfg!(target_os = "linux") {
        writeln!(out, "# This is Linux, so the jails are emulated: docs/development-host.md.")?;
    }
    writeln!(out, "# A server of the host listens on {HOST}:{port} and {OWN}:{port}.")?;
    bundle.make(out)?;

    let mut rows = Vec::new();
    let mut configured = None;
    for case in &CASES {
        let args = match case.kind {
            Kind::Connects(_) => ["connect".to_owned(), format!("{HOST}:{port}")],
            Kind::Serves { bound, .. } => ["listen".to_owned(), format!("{bound}:0")],
        };
        writeln!(out, "\n# {}", case.promise)?;
        if configured.as_ref() != Some(&args) {
            bundle.configure([&args[0], &args[1]], out)?;
            configured = Some(args);
        }
        bundle.extend(case.extension, out)?;
        let seen = contain(bundle, case, &server, out)?;
        rows.push(Row { case, seen });
        if signal.load(Ordering::Relaxed) != 0 {
            bail!("interrupted");
        }
    }
    Ok(rows)
}

/// Runs one container, passing on what its process says.
fn contain(bundle: &Bundle, case: &Case, server: &Server, out: &mut impl Write) -> Result<Seen> {
    let mut command = bundle.runj(["run", "--bundle", bundle::DIRECTORY, case.id]);
    writeln!(out, "$ {}", command_line(&command))?;
    let mut runj = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", bundle.runj.display()))?;
    let mut seen = Seen::default();
    let said = runj.stdout.take().map(BufReader::new);
    for line in said.into_iter().flat_map(io::BufRead::lines) {
        let line = line.context("what the container's process says")?;
        writeln!(out, "{line}")?;
        seen.inside.push(line);
        // The process listens once it knows where.
        if let (Kind::Serves { tried, .. }, [.., last]) = (&case.kind, &seen.inside[..])
            && let Some(own) = last.strip_prefix("getsockname: ")
        {
            let own: SocketAddr = own.parse()?;
            seen.calls = tried.iter().map(|&to| call((to, own.port()).into())).collect();
        }
    }
    // Its status is that of the probe, which has said more.
    runj.wait().context("waiting for runj")?;
    seen.visits = server.visits();
    for Visit { at, from } in &seen.visits {
        writeln!(out, "# The server: {from} came to {at}.")?;
    }
    for Call { to, from } in &seen.calls {
        match from {
            Ok(from) => writeln!(out, "# The host: {from} reached {to}.")?,
            Err(error) => writeln!(out, "# The host: did not reach {to}: {error}.")?,
        }
    }
    Ok(seen)
}

/// Tries to reach a server in a container.
fn call(to: SocketAddr) -> Call {
    let answered = || {
        let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let from = stream.local_addr()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        if line == "hello from the container\n" {
            Ok(from)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    };
    Call { to, from: answered().map_err(|error: io::Error| error.to_string()) }
}

/// Prints the table, and the verdict on the whole.
fn conclude(rows: &[Row], mut out: impl Write) -> Result<()> {
    let mut table = TabWriter::new(Vec::new());
    writeln!(table, "mode\twhat the process saw\twhat the host saw\tas promised")?;
    for Row { case, seen } in rows {
        let (inside, outside) = (seen.by_process(), seen.by_host());
        let verdict = if case.is_kept(seen) { "yes" } else { "NO" };
        writeln!(table, "{}\t{inside}\t{outside}\t{verdict}", case.title)?;
    }
    table.flush()?;
    out.write_all(b"\n")?;
    out.write_all(&table.into_inner()?)?;
    let broken = rows.iter().filter(|Row { case, seen }| !case.is_kept(seen)).count();
    ensure!(broken == 0, "{broken} of {} containers were not as jail(8) promises", rows.len());
    writeln!(out, "\nAll {} containers were as jail(8) promises.", rows.len())?;
    Ok(())
}
