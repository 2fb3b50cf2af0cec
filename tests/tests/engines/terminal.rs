//! Containers, and processes in them, with a terminal.

use runj_tests::Terminal;
use runj_tests::engines::Engine;

use crate::case::cases;

cases![a_container_has_one, a_further_process_has_one];

fn a_container_has_one(engine: &Engine<'_>) {
    let (mut terminal, slave) = Terminal::open();
    terminal.resize(33, 99);
    let run = engine.run(&["--rm", "--tty", "--interactive"], &["sh"]);
    let running = run.on_terminal(&slave).spawn();
    terminal.expect("# ");
    terminal.write("tty; stty size; exit 4\n");
    terminal.expect("/dev/pts/");
    terminal.expect("33 99\r\n");
    running.wait().code_is(4);
}

fn a_further_process_has_one(engine: &Engine<'_>) {
    engine.detached("c", &["sleep", "1000"]);
    let (mut terminal, slave) = Terminal::open();
    let exec = engine.podman(["exec", "--tty", "--interactive", "c", "sh"]);
    let running = exec.on_terminal(&slave).spawn();
    terminal.expect("# ");
    terminal.write("test -t 0 && echo yes; exit 6\n");
    terminal.expect("\nyes\r\n");
    running.wait().code_is(6);
}
