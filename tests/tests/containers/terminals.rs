//! Containers with a terminal.
//!
//! What writes to one stays until that is read: FreeBSD throws away what is not when the leader of a
//! terminal's session ends.

use std::io::Write as _;

use runj_tests::{Bundle, ConsoleSocket, Sandbox, Terminal, eventually};
use serde_json::json;

use crate::case::cases;

cases![
    a_terminal_comes_through_the_socket,
    control_c_reaches_the_process,
    control_z_stops_a_job_and_fg_goes_on_with_it,
    a_resize_is_seen_inside,
    it_has_the_size_that_is_asked_for,
    the_process_is_its_user_s_terminal,
    exec_has_a_terminal_of_its_own,
    exec_relays_its_own_terminal,
    run_relays_its_own_terminal,
    run_without_a_terminal_of_its_own,
    hanging_up_ends_the_process,
];

fn with_terminal(sandbox: &Sandbox<'_>) -> Bundle {
    sandbox.bundle().set("process.terminal", true).mount(json!({
        "destination": "/dev",
        "type": "devfs"
    }))
}

/// Creates and starts a container; its id and terminal.
#[track_caller]
fn start(sandbox: &Sandbox<'_>, bundle: &Bundle) -> (String, Terminal) {
    let id = sandbox.id();
    let socket = ConsoleSocket::listen(sandbox.path().join(format!("{id}.sock")));
    let create = sandbox.runj(["create", &id, "--console-socket"]).args([socket.path()]);
    create.args(["--bundle".as_ref(), bundle.dir()]).run().succeeded_silently();
    let terminal = socket.receive();
    sandbox.runj(["start", &id]).run().succeeded_silently();
    (id, terminal)
}

#[track_caller]
fn wait_stopped(sandbox: &Sandbox<'_>, id: &str) {
    eventually("the container to stop", || {
        (sandbox.runj(["state", id]).run().json()["status"] == "stopped").then_some(())
    });
}

fn a_terminal_comes_through_the_socket(sandbox: &Sandbox<'_>) {
    let line =
        "tty; test -t 0 && test -t 1 && test -t 2 && echo all; read a; echo \"<$a>\"; read b";
    let (id, mut terminal) = start(sandbox, &with_terminal(sandbox).shell(line));
    terminal.expect("/dev/");
    terminal.expect("all\r\n");
    terminal.write("typed\n");
    terminal.expect("<typed>\r\n");
    sandbox.runj(["kill", &id, "KILL"]).run().succeeded_silently();
    assert_eq!(terminal.rest(), "");
    wait_stopped(sandbox, &id);
}

fn control_c_reaches_the_process(sandbox: &Sandbox<'_>) {
    let (id, mut terminal) = start(sandbox, &with_terminal(sandbox).probe(["signals"]));
    terminal.expect("ready");
    terminal.write("\u{3}");
    terminal.expect("SIGINT");
    sandbox.runj(["kill", &id]).run().succeeded_silently();
    wait_stopped(sandbox, &id);

    // And everybody else in the foreground.
    let wait = Bundle::probe_command(["wait"]).join(" ");
    let line = format!("trap 'echo shell; exit 5' INT; {wait}; echo \"status $?\"");
    let (id, mut terminal) = start(sandbox, &with_terminal(sandbox).shell(&line));
    assert_eq!(terminal.json()["ready"], true);
    terminal.write("\u{3}");
    terminal.expect("shell");
    wait_stopped(sandbox, &id);
}

fn control_z_stops_a_job_and_fg_goes_on_with_it(sandbox: &Sandbox<'_>) {
    let bundle = with_terminal(sandbox).args(["sh", "-i"]).set("process.env", json!(["PS1=> "]));
    let (id, mut terminal) = start(sandbox, &bundle);
    let job = Bundle::probe_command(["read-line"]).join(" ");
    terminal.expect("> ");
    terminal.write(&format!("{job}\n"));
    terminal.expect("ready");
    terminal.write("\u{1a}");
    terminal.expect("> ");
    // What is typed now is the shell's.
    terminal.write("echo the=shell | tr = -\n");
    terminal.expect("the-shell");
    terminal.write("fg\n");
    terminal.expect("read-line");
    terminal.write("for the job\n");
    terminal.expect("{\"line\":\"for the job\\n\"}");
    // A shell that edits its lines throws away what was typed before its prompt.
    terminal.expect("> ");
    terminal.write("exit\n");
    // On FreeBSD it ends when somebody has read what it wrote last (tty(4), drainwait).
    drop(terminal.rest());
    wait_stopped(sandbox, &id);
}

fn a_resize_is_seen_inside(sandbox: &Sandbox<'_>) {
    let (id, mut terminal) = start(sandbox, &with_terminal(sandbox).probe(["signals"]));
    assert_eq!(terminal.json()["ready"], true);
    terminal.resize(41, 132);
    assert_eq!(terminal.json(), json!({ "signal": "SIGWINCH", "terminal": [41, 132] }));
    sandbox.runj(["kill", &id]).run().succeeded_silently();
    wait_stopped(sandbox, &id);
}

fn it_has_the_size_that_is_asked_for(sandbox: &Sandbox<'_>) {
    let bundle = with_terminal(sandbox)
        .set("process.consoleSize", json!({ "height": 50, "width": 160 }))
        .probe(["report", "wait"]);
    let (id, mut terminal) = start(sandbox, &bundle);
    assert_eq!(terminal.json()["terminal"], json!([50, 160]));
    sandbox.runj(["kill", &id, "KILL"]).run().succeeded_silently();
    wait_stopped(sandbox, &id);
}

fn the_process_is_its_user_s_terminal(sandbox: &Sandbox<'_>) {
    let line = "test -O \"$(tty)\" && echo mine; echo again >\"$(tty)\"; read a";
    let bundle =
        with_terminal(sandbox).set("process.user", json!({ "uid": 1234, "gid": 1234 })).shell(line);
    let (id, mut terminal) = start(sandbox, &bundle);
    terminal.expect("mine\r\n");
    terminal.expect("again\r\n");
    terminal.write("\n");
    wait_stopped(sandbox, &id);
}

fn exec_has_a_terminal_of_its_own(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let socket = ConsoleSocket::listen(sandbox.path().join("exec.sock"));
    let flags = ["--tty", "--detach", "--console-socket", socket.path().to_str().unwrap()];
    let exec = container.exec(flags, Bundle::probe_command(["report", "wait"]));
    exec.run().succeeded_silently();
    let mut terminal = socket.receive();
    let report = terminal.json();
    assert_eq!(report["descriptors"], json!([0, 1, 2]));
    assert_eq!(report["leads_session"], true);
    assert_eq!(report["terminal"], json!([0, 0]));
}

fn exec_relays_its_own_terminal(sandbox: &Sandbox<'_>) {
    let container = sandbox.start(&sandbox.bundle());
    let (mut mine, slave) = Terminal::open();
    mine.resize(33, 99);
    let exec = container.exec(["--tty"], Bundle::probe_command(["report", "wait"]));
    let running = exec.on_terminal(&slave).spawn();
    drop(slave);
    // It has the size from its first instruction on.
    assert_eq!(mine.json()["terminal"], json!([33, 99]));
    running.signal("TERM".parse().unwrap());
    assert_eq!(running.wait().code(), 128 + 15);
}

fn run_relays_its_own_terminal(sandbox: &Sandbox<'_>) {
    let (mut mine, slave) = Terminal::open();
    mine.resize(33, 99);
    let bundle = with_terminal(sandbox).probe(["signals"]);
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    let running = run.on_terminal(&slave).spawn();
    drop(slave);
    assert_eq!(mine.json(), json!({ "ready": true, "terminal": [33, 99] }));
    // What is typed reaches the terminal inside, and only there it becomes a signal.
    mine.write("\u{3}");
    mine.expect("^C");
    assert_eq!(mine.json()["signal"], "SIGINT");
    mine.resize(20, 70);
    assert_eq!(mine.json(), json!({ "signal": "SIGWINCH", "terminal": [20, 70] }));
    running.signal("TERM".parse().unwrap());
    assert_eq!(mine.json()["signal"], "SIGTERM");
    assert_eq!(running.wait().code(), 7);
}

fn run_without_a_terminal_of_its_own(sandbox: &Sandbox<'_>) {
    let bundle = with_terminal(sandbox).shell("test -t 1 && echo terminal; read a; exit 4");
    let (input, mut typing) = std::io::pipe().unwrap();
    let run = sandbox.runj(["run", &sandbox.id(), "--bundle"]).args([bundle.dir()]);
    let running = run.stdin(input).spawn();
    let said = || running.stdout().contains('\n').then_some(());
    eventually("what it says", said);
    typing.write_all(b"\n").unwrap();
    let outcome = running.wait();
    assert_eq!(outcome.code(), 4);
    assert!(outcome.stdout().starts_with("terminal\r\n"), "{:?}", outcome.stdout());
    assert_eq!(outcome.stderr(), "");
}

fn hanging_up_ends_the_process(sandbox: &Sandbox<'_>) {
    let (id, mut terminal) = start(sandbox, &with_terminal(sandbox).shell("echo go; sleep 1000"));
    terminal.expect("go");
    drop(terminal);
    wait_stopped(sandbox, &id);
}
