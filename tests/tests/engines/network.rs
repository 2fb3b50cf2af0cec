//! Which network a container has.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use runj_tests::engines::Engine;
use runj_tests::eventually;

use crate::case::cases;

cases![
    the_host_s_reaches_the_host,
    the_host_s_is_reached_from_the_host,
    none_is_not_the_host_s,
    an_annotation_takes_it_away,
];

/// A line for the shell that says what the host has to say.
const ASK: &str = "nc 127.0.0.1 $0 < /dev/null";

/// What a container with these flags and that command gets from a server on the host.
fn from_the_host(engine: &Engine<'_>, flags: &[&str]) -> runj_tests::Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Whoever only lets us go asks for nothing.
        let _ = stream.write_all(b"from the host");
    });
    let outcome = engine.run(flags, &["sh", "-c", ASK, &address.port().to_string()]).run();
    drop(TcpStream::connect(address));
    server.join().unwrap();
    outcome
}

fn the_host_s_reaches_the_host(engine: &Engine<'_>) {
    let outcome = from_the_host(engine, &["--rm", "--network=host"]);
    assert_eq!(outcome.ok(), "from the host");
}

fn the_host_s_is_reached_from_the_host(engine: &Engine<'_>) {
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let line = "echo from inside | nc -l -p $0";
    let flags = ["--detach", "--name=c", "--network=host"];
    engine.run(&flags, &["sh", "-c", line, &port.to_string()]).run().ok();
    let mut stream =
        eventually("the container to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "from inside\n");
    drop(stream);
    assert_eq!(engine.exit_status("c"), "0");
}

fn none_is_not_the_host_s(engine: &Engine<'_>) {
    let outcome = from_the_host(engine, &["--rm", "--network=none"]);
    assert_ne!(outcome.code(), 0);
    assert_eq!(outcome.stdout(), "");
}

fn an_annotation_takes_it_away(engine: &Engine<'_>) {
    let annotation = "--annotation=org.freebsd.jail.ip4=disable";
    let outcome = from_the_host(engine, &["--rm", "--network=host", annotation]);
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains("rotocol not supported"), "{}", outcome.stderr());
}
