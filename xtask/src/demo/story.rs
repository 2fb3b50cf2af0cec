//! `cargo xtask demo --containerd`: a shell in a container of containerd's, on a terminal, which
//! shares the host's IPv4 or does not.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::pty::openpty;
use runj_tests::Terminal;
use runj_tests::containerd::{Binaries, Engine, IMAGE, Release, missing_for_images};

use super::bundle::LOOPBACK;
use super::case::{Call, DISABLE, HOST, INHERIT, NEW, OWN, Outcome, by_host};
use super::server::{Server, Visit};
use super::{PATIENCE, Row, call, conclude, end_by, introduce, tell};
use crate::containerd;
use crate::run::{command_line, read};

/// The container's id: the story's own.
const ID: &str = "my-container";

/// How the prompt of root's shell ends, in the image as on FreeBSD.
const PROMPT: &str = "# ";

/// A shell that is given runj.ext.json.
struct Shell {
    title: &'static str,
    promise: &'static str,
    extension: &'static str,
    /// What is to come of a connection to the host's server.
    connects: Outcome,
    /// Where a server in the container is to be reached, if it can have one, and where it is tried.
    serves: Option<(Ipv4Addr, &'static [Ipv4Addr])>,
}

static SHELLS: [Shell; 3] = [
    Shell {
        title: "inherit",
        promise: "ip4=inherit: the host's IPv4 stack is the container's, both ways",
        extension: INHERIT,
        connects: Outcome::Within(HOST),
        serves: Some((HOST, &[HOST])),
    },
    Shell {
        title: "disable",
        promise: "ip4=disable: there is no IPv4 in the container",
        extension: DISABLE,
        connects: Outcome::NoIpv4,
        serves: None,
    },
    Shell {
        title: "new",
        promise: "ip4=new: the container has 127.0.0.2 alone; 127.0.0.1 means that one, too",
        extension: NEW,
        connects: Outcome::Within(OWN),
        // Where it is comes first: from then on it listens for certain.
        serves: Some((OWN, &[OWN, HOST])),
    },
];

/// Runs the shells, one after the other.
pub(super) fn run(wanted: &str, signal: &AtomicUsize) -> Result<()> {
    let release = release(wanted)?;
    let mut out = io::stdout();
    // What is amiss with containerd itself is a panic: the engine is that of the tests. All cleans
    // up when it is dropped, which is to be before a signal takes effect.
    let shown = panic::catch_unwind(AssertUnwindSafe(|| {
        let binaries = Binaries::locate();
        let engine = Engine::start(&release, &binaries);
        let rows = show(&engine, signal, &mut out)?;
        engine.finish();
        Ok(rows)
    }));
    end_by(signal)?;
    let rows: Result<_> = shown.unwrap_or_else(|fault| panic::resume_unwind(fault));
    conclude(&rows?, out)
}

/// The containerd, which is fetched if that may help.
fn release(wanted: &str) -> Result<Release> {
    let directory = Path::new(wanted).canonicalize().ok().filter(|path| path.is_dir());
    if cfg!(target_os = "linux") && (directory.is_none() || missing_for_images().is_some()) {
        containerd::set_up()?;
    }
    let wanted = directory.map_or(wanted.to_owned(), |path| path.display().to_string());
    // The newest comes last.
    let release = Release::named(&wanted).pop();
    release.with_context(|| format!("there is no containerd {wanted} with its ctr"))
}

fn show(engine: &Engine<'_>, signal: &AtomicUsize, out: &mut impl Write) -> Result<Vec<Row>> {
    ensure!(
        engine.is_free(ID),
        "containerd has a container {ID} already, or what is left of one: /var/run/runj-shim"
    );
    engine.take_id(ID);
    let server = Server::start(HOST, OWN).context("cannot start the server on the host")?;
    introduce(&server, out)?;
    let _alias = Alias::add(out)?;
    let (version, directory) = (&engine.release().version, engine.path().display());
    writeln!(out, "# A containerd {version} of its own has its root, state and socket here:")?;
    writeln!(out, "$ cd {directory}\n$ export CONTAINERD_ADDRESS={directory}/sock")?;
    let mut rows = Vec::new();
    for shell in &SHELLS {
        writeln!(out, "\n# {}", shell.promise)?;
        rows.extend(contain(engine, shell, &server, out)?);
        if signal.load(Ordering::Relaxed) != 0 {
            bail!("interrupted");
        }
    }
    Ok(rows)
}

/// Runs one container and types into its shell.
fn contain(
    engine: &Engine<'_>,
    shell: &Shell,
    server: &Server,
    out: &mut impl Write,
) -> Result<Vec<Row>> {
    let file = engine.path().join("runj.ext.json");
    writeln!(out, "$ cat >runj.ext.json <<'END'\n{}\nEND", shell.extension)?;
    fs::write(&file, format!("{}\n", shell.extension)).context("runj.ext.json")?;
    let line = format!(
        "ctr run --runtime wtf.sbk.runj.v1 --rm --tty \
         --runtime-config-path $(pwd)/runj.ext.json {IMAGE} {ID} sh"
    );
    writeln!(out, "$ {line}")?;
    let pty = openpty(None, None).context("cannot open a terminal")?;
    let running = engine.shell(&line).on_terminal(&pty.slave).spawn();
    drop(pty.slave);
    let mut session = Session::begin(Terminal::new(pty.master));

    let port = server.port;
    let said = session.type_line(&connect(port), out)?;
    let visits = server.visits();
    tell(&visits, &[], out)?;
    let mut rows = vec![Row {
        title: shell.title.to_owned(),
        inside: said.lines().last().unwrap_or_default().to_owned(),
        outside: by_host(&visits, &[]),
        kept: shell.connects.is_kept(&said, &visits),
    }];

    if let Some((reached, tried)) = shell.serves {
        let port = free_port().context("no port is free")?;
        session.type_line(&serve(port), out)?;
        let calls: Vec<_> = tried.iter().map(|&to| reach(to, port, to == reached)).collect();
        tell(&[], &calls, out)?;
        rows.push(Row {
            title: format!("{}, a server", shell.title),
            inside: format!("listens at port {port}"),
            outside: by_host(&[], &calls),
            kept: calls.iter().all(|call| call.from.is_ok() == (call.to.ip() == reached)),
        });
    }

    session.end("exit 0", out)?;
    let code = running.wait().code();
    ensure!(code == 0, "ctr ended with {code}");
    Ok(rows)
}

impl Outcome {
    /// Whether it is what `nc` said of its connection, and the server saw.
    fn is_kept(&self, said: &str, visits: &[Visit]) -> bool {
        match self {
            Self::NoIpv4 => said.contains("Protocol not supported") && visits.is_empty(),
            Self::Within(address) => {
                let address = IpAddr::from(*address);
                let within = |visit: &Visit| visit.at.ip() == address && visit.from.ip() == address;
                said.trim_end() == Server::GREETING && matches!(visits, [visit] if within(visit))
            }
        }
    }
}

/// The address of a container on the host's loopback interface, until this is dropped. runj makes
/// one itself if `freebsd.jail.interface` in config.json names the interface, but there `ctr` has
/// nothing of FreeBSD's.
struct Alias;

impl Alias {
    /// Adds it, if it is not there. All of 127.0.0.0/8 always is on Linux.
    fn add(out: &mut impl Write) -> Result<Option<Self>> {
        if TcpListener::bind((OWN, 0)).is_ok() {
            return Ok(None);
        }
        let mut command = Self::command("alias");
        writeln!(out, "$ {}", command_line(&command))?;
        read(&mut command)?;
        Ok(Some(Self))
    }

    fn command(verb: &str) -> Command {
        let mut command = Command::new("ifconfig");
        command.args([LOOPBACK, verb, &format!("{OWN}/32")]);
        command
    }
}

impl Drop for Alias {
    fn drop(&mut self) {
        // An alias that stays does no harm.
        let _ = read(&mut Self::command("-alias"));
    }
}

/// A command that says what came of a connection to that port of the host's.
fn connect(port: u16) -> String {
    if cfg!(target_os = "freebsd") {
        // nc(1) there waits for its standard input, and does not say why it cannot connect.
        format!("nc {HOST} {port} </dev/null || ping -c 1 {HOST}")
    } else {
        format!("nc {HOST} {port}")
    }
}

/// A command that serves all who come to that port, in the background.
fn serve(port: u16) -> String {
    let greeting = "echo hello from the container";
    if cfg!(target_os = "freebsd") {
        format!("{greeting} | nc -lk {port} &")
    } else {
        format!("nc -ll -p {port} -e {greeting} &")
    }
}

/// A port that is nobody's.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((HOST, 0))?.local_addr()?.port())
}

/// Tries to reach a server in the container. One that is to be there may still be about to listen.
fn reach(to: Ipv4Addr, port: u16, awaited: bool) -> Call {
    const PAUSE: Duration = Duration::from_millis(20);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let called = call((to, port).into());
        if called.from.is_ok() || !awaited || Instant::now() >= deadline {
            return called;
        }
        thread::sleep(PAUSE);
    }
}

/// A shell on a terminal, and what is to be seen there.
struct Session {
    terminal: Terminal,
    /// The prompt that waits for the next line; shown with it.
    prompt: String,
}

impl Session {
    /// Waits for the first prompt.
    fn begin(mut terminal: Terminal) -> Self {
        let prompt = shown(&terminal.until(PROMPT));
        Self { terminal, prompt }
    }

    /// Types a line and waits for the next prompt. What was there in between.
    fn type_line(&mut self, line: &str, out: &mut impl Write) -> Result<String> {
        self.terminal.write(&format!("{line}\n"));
        let seen = shown(&self.terminal.until(PROMPT));
        // The prompt is a line that has not ended.
        let (lines, prompt) = seen.split_at(seen.rfind('\n').map_or(0, |end| end + 1));
        write!(out, "{}{lines}", self.prompt)?;
        prompt.clone_into(&mut self.prompt);
        // The terminal shows what is typed.
        Ok(lines.split_once('\n').unwrap_or_default().1.to_owned())
    }

    /// Types the last line.
    fn end(mut self, line: &str, out: &mut impl Write) -> Result<()> {
        self.terminal.write(&format!("{line}\n"));
        write!(out, "{}{}", self.prompt, shown(&self.terminal.rest()))?;
        Ok(())
    }
}

/// What a terminal shows of that.
fn shown(text: &str) -> String {
    /// The shell asks where the cursor is (Device Status Report, ECMA-48).
    const QUERY: &str = "\x1b[6n";
    text.replace(QUERY, "").replace('\r', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(at: &str, from: &str) -> Visit {
        Visit { at: at.parse().unwrap(), from: from.parse().unwrap() }
    }

    #[test]
    fn a_connection_is_judged_by_both_ends() {
        let own = Outcome::Within(OWN);
        let came = visit("127.0.0.2:7", "127.0.0.2:9");
        assert!(own.is_kept("hello from the host\n", &[came]));
        assert!(!own.is_kept("hello from the host\n", &[]), "said by nobody");
        assert!(!own.is_kept("hello from the host\n", &[came, came]));
        assert!(!own.is_kept("hello from the host\n", &[visit("127.0.0.1:7", "127.0.0.2:9")]));
        assert!(!own.is_kept("", &[came]));
        assert!(!Outcome::Within(HOST).is_kept("hello from the host\n", &[came]));

        let refused = "nc: socket: Protocol not supported\n";
        assert!(Outcome::NoIpv4.is_kept(refused, &[]));
        assert!(!Outcome::NoIpv4.is_kept(refused, &[came]));
        assert!(!Outcome::NoIpv4.is_kept("", &[]), "nothing seen is nothing shown");
    }

    #[test]
    fn what_only_the_terminal_reads_is_not_shown() {
        assert_eq!(shown("/ # \x1b[6nls\r\nbin\r\n"), "/ # ls\nbin\n");
    }
}
