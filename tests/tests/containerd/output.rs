//! What goes into a container and what comes out of it.

use std::fs;
use std::io::{self, Write as _};

use runj_tests::containerd::Engine;
use runj_tests::{DEADLINE, Invocation, Terminal, eventually, write_script};
use sha2::{Digest as _, Sha256};

use crate::case::cases;

cases![
    a_hundred_megabytes_come_out_whole,
    the_last_words_on_a_terminal_are_heard,
    input_ends_when_ctr_s_does,
    a_file_gets_it,
    a_logger_gets_it,
    a_logger_that_is_missing_is_said_to_be,
];

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn a_hundred_megabytes_come_out_whole(engine: &mut Engine<'_>) {
    let script = "dd if=/dev/urandom of=/tmp/x bs=1M count=100 2>/dev/null && cat /tmp/x && \
                  sha256sum /tmp/x >&2";
    let running = engine.run(&["--rm"], &engine.id(), &["sh", "-c", script]).spawn();
    // An emulated machine takes minutes to make and to digest so much.
    let outcome = running.wait_within(5 * DEADLINE);
    outcome.code_is(0);
    let digest = Sha256::digest(fs::read(outcome.stdout_file()).unwrap());
    let told = outcome.stderr();
    assert_eq!(told.split_whitespace().next(), Some(hexadecimal(&digest).as_str()));
}

fn the_last_words_on_a_terminal_are_heard(engine: &mut Engine<'_>) {
    let (terminal, slave) = Terminal::open();
    let script = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last";
    let running = engine
        .run(&["--rm", "--tty"], &engine.id(), &["sh", "-c", script])
        .on_terminal(&slave)
        .spawn();
    drop(slave);
    let seen = terminal.rest();
    running.wait().code_is(0);
    assert_eq!(seen.lines().filter(|line| line.starts_with("line ")).count(), 20000);
    assert!(seen.trim_end().ends_with("last"), "{:?}", &seen[seen.len() - 100..]);
}

/// What comes out when `text` goes in and then nothing more.
///
/// ctr, with any runtime, hangs when its input ends before it has made the task; so that waits.
pub(crate) fn typed(invocation: Invocation, text: &str) -> String {
    let (input, mut writer) = io::pipe().unwrap();
    let running = invocation.stdin(input).spawn();
    writer.write_all(text.as_bytes()).unwrap();
    eventually("the text to have come through", || {
        (running.stdout().len() >= text.len()).then_some(())
    });
    drop(writer);
    running.wait().code_is(0)
}

fn input_ends_when_ctr_s_does(engine: &mut Engine<'_>) {
    let run = engine.run(&["--rm"], &engine.id(), &["cat"]);
    assert_eq!(typed(run, "one\ntwo\n"), "one\ntwo\n");
}

fn a_file_gets_it(engine: &mut Engine<'_>) {
    let file = engine.path().join("logs/container.log");
    let uri = format!("file://{}", file.display());
    let id = engine.id();
    let script = "echo out; echo err >&2";
    engine.run(&["--detach", "--log-uri", &uri], &id, &["sh", "-c", script]).run().code_is(0);
    engine.wait_status(&id, "STOPPED");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("out\n") && text.contains("err\n"), "{text:?}");
    engine.remove(&id);
}

fn a_logger_gets_it(engine: &mut Engine<'_>) {
    let logger = engine.path().join("logger");
    let script = "exec > \"$2\"\n\
         echo \"$1 $CONTAINER_NAMESPACE $CONTAINER_ID\"\n\
         exec 5>&-\n\
         cat <&3 & cat <&4; wait; echo done\n";
    write_script(&logger, script);
    let file = engine.path().join("logged");
    let uri = format!("binary://{}?to={}", logger.display(), file.display());
    let id = engine.id();
    let command = ["sh", "-c", "echo out; sleep 0.1; echo err >&2"];
    engine.run(&["--detach", "--log-uri", &uri], &id, &command).run().code_is(0);
    let text = eventually("the logger's end", || {
        Some(fs::read_to_string(&file).unwrap_or_default()).filter(|text| text.ends_with("done\n"))
    });
    assert_eq!(text, format!("to default {id}\nout\nerr\ndone\n"));
    engine.wait_status(&id, "STOPPED");
    engine.remove(&id);
}

fn a_logger_that_is_missing_is_said_to_be(engine: &mut Engine<'_>) {
    let id = engine.id();
    let outcome =
        engine.run(&["--detach", "--log-uri", "binary:///no/such/logger"], &id, &["true"]).run();
    assert_ne!(outcome.code(), 0);
    let message = outcome.stderr();
    assert!(message.contains("/no/such/logger"), "{message}");
    engine.ctr(["container", "rm", &id]).run();
}
