//! The story: a shell in a container, on a terminal, with the host's network or without.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::thread;

use runj_tests::containerd::Engine;
use runj_tests::{Terminal, eventually};
use serde_json::json;

use crate::case::cases;

cases![inherit_reaches_the_host, disable_has_no_ipv4, the_terminal_has_the_size_of_ctr_s];

/// Starts `ctr run --tty` with an extension file, on a terminal of 30 lines.
fn shell(engine: &Engine<'_>, extension: &str) -> (Terminal, OwnedFd, runj_tests::Running) {
    let file = engine.path().join("runj.ext.json");
    fs::write(&file, extension).unwrap();
    let (mut terminal, slave) = Terminal::open();
    terminal.resize(30, 100);
    let file = file.to_str().unwrap();
    let flags = ["--rm", "--tty", "--runtime-config-path", file];
    let running = engine.run(&flags, &engine.id(), &["sh"]).on_terminal(&slave).spawn();
    terminal.expect("# ");
    (terminal, slave, running)
}

/// What the shell says when it tries to read from a server on the host.
fn fetch(engine: &Engine<'_>, mode: &str, answer: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"from the host\n").unwrap();
    });
    let extension = format!(r#"{{ "network": {{ "ipv4": {{ "mode": "{mode}" }} }} }}"#);
    let (mut terminal, slave, running) = shell(engine, &extension);
    // FreeBSD's nc(1) does not say why it cannot.
    let line =
        format!("nc 127.0.0.1 {port} </dev/null || ping -c 1 127.0.0.1; echo \"status $?\"\n");
    terminal.write(&line);
    // Its own echo.
    terminal.expect("$?\"");
    terminal.expect(answer);
    terminal.expect("status");
    terminal.write("exit 7\n");
    assert_eq!(running.wait().code(), 7);
    drop(slave);
    if mode != "inherit" {
        // Nobody has come.
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    }
    server.join().unwrap();
}

fn inherit_reaches_the_host(engine: &mut Engine<'_>) {
    fetch(engine, "inherit", "from the host");
}

fn disable_has_no_ipv4(engine: &mut Engine<'_>) {
    fetch(engine, "disable", "Protocol not supported");
}

fn the_terminal_has_the_size_of_ctr_s(engine: &mut Engine<'_>) {
    let (mut terminal, slave, running) = shell(engine, "{}");
    let size = |terminal: &mut Terminal| {
        terminal.write("echo [$(stty size | tr ' ' ,)]\n");
        terminal.json()
    };
    // ctr tells the size after it has started the process, and changes of it from then on.
    eventually("the size of ctr's terminal", || {
        (size(&mut terminal) == json!([30, 100])).then_some(())
    });
    eventually("another size", || {
        terminal.resize(41, 120);
        terminal.resize(40, 120);
        (size(&mut terminal) == json!([40, 120])).then_some(())
    });
    terminal.write("tty; exit\n");
    terminal.expect("/dev/pts/");
    assert_eq!(running.wait().code(), 0);
    drop(slave);
}
