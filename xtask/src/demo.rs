//! `cargo xtask demo`: containers try to use the host's IPv4, and what comes of it is compared
//! with what jail(8) promises.

mod bundle;
mod case;
mod server;
mod story;

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
use self::case::{CASES, Call, Case, HOST, Kind, OWN, Seen, by_host};
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
pub(crate) struct Demo {
    /// Has containerd run the containers, by `ctr run --runtime wtf.sbk.runj.v1` on a terminal:
    /// the containerd in that directory, or the newest whose version begins so, of the host's and
    /// those that `cargo xtask test` fetches
    #[arg(
        long, value_name = "DIR|VERSION", num_args = 0..=1, default_missing_value = "",
        hide_default_value = true
    )]
    containerd: Option<String>,
}

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
        match &self.containerd {
            None => by_hand(&signal),
            Some(wanted) => story::run(wanted, &signal),
        }
    }
}

/// The containers of a bundle, by `runj` itself.
fn by_hand(signal: &AtomicUsize) -> Result<()> {
    let bundle = build()?;
    // What a demo has left that was killed.
    bundle.clear()?;
    let shown = show(&bundle, signal, &mut io::stdout());
    let cleared = bundle.clear().context("the demo could not be cleared away");
    end_by(signal)?;
    let rows = shown?;
    cleared?;
    conclude(&rows, io::stdout())
}

/// Ends as if the signal that has come, if one has, had not been caught.
fn end_by(signal: &AtomicUsize) -> Result<()> {
    if let Ok(number @ 1..) = i32::try_from(signal.load(Ordering::Relaxed)) {
        low_level::emulate_default_handler(number)?;
    }
    Ok(())
}

/// Says which host this is, and where its server is.
fn introduce(server: &Server, out: &mut impl Write) -> Result<()> {
    if cfg!(target_os = "linux") {
        writeln!(out, "# This is Linux, so the jails are emulated: docs/development-host.md.")?;
    }
    let port = server.port;
    writeln!(out, "# A server of the host listens on {HOST}:{port} and {OWN}:{port}.")?;
    Ok(())
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
    title: String,
    /// What the process saw.
    inside: String,
    /// What the host saw.
    outside: String,
    /// Whether all that is as promised.
    kept: bool,
}

impl Row {
    fn of(case: &Case, seen: &Seen) -> Self {
        Self {
            title: case.title.to_owned(),
            inside: seen.by_process().to_owned(),
            outside: by_host(&seen.visits, &seen.calls),
            kept: case.is_kept(seen),
        }
    }
}

/// Runs the containers, one after the other.
fn show(bundle: &Bundle, signal: &AtomicUsize, out: &mut impl Write) -> Result<Vec<Row>> {
    let server = Server::start(HOST, OWN).context("cannot start the server on the host")?;
    let port = server.port;
    introduce(&server, out)?;
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
        rows.push(Row::of(case, &seen));
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
    tell(&seen.visits, &seen.calls, out)?;
    Ok(seen)
}

/// Says what the host saw.
fn tell(visits: &[Visit], calls: &[Call], out: &mut impl Write) -> Result<()> {
    for Visit { at, from } in visits {
        writeln!(out, "# The server: {from} came to {at}.")?;
    }
    for Call { to, from } in calls {
        match from {
            Ok(from) => writeln!(out, "# The host: {from} reached {to}.")?,
            Err(error) => writeln!(out, "# The host: did not reach {to}: {error}.")?,
        }
    }
    Ok(())
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
    for Row { title, inside, outside, kept } in rows {
        let verdict = if *kept { "yes" } else { "NO" };
        writeln!(table, "{title}\t{inside}\t{outside}\t{verdict}")?;
    }
    table.flush()?;
    out.write_all(b"\n")?;
    out.write_all(&table.into_inner()?)?;
    let broken = rows.iter().filter(|row| !row.kept).count();
    ensure!(broken == 0, "{broken} of {} tries were not as jail(8) promises", rows.len());
    writeln!(out, "\nAll {} tries were as jail(8) promises.", rows.len())?;
    Ok(())
}
