//! What containers may use.

use runj_tests::containerd::Engine;

use crate::case::cases;

cases![
    limits_of_ctr_are_the_jails,
    #[cfg(target_os = "linux")]
    memory_beyond_the_limit_is_not_to_be_had,
];

fn limits_of_ctr_are_the_jails(engine: &mut Engine<'_>) {
    let id = engine.id();
    let flags = ["--detach", "--memory-limit", "1073741824", "--cpus", "1.5"];
    engine.run(&flags, &id, &["sleep", "1000"]).run().code_is(0);
    let table = engine.ctr(["task", "metrics", &id]).run().code_is(0);
    let line = table.lines().find(|line| line.starts_with("memory.limit_in_bytes")).unwrap();
    assert_eq!(line.split_whitespace().last(), Some("1073741824"), "{table}");
    engine.remove(&id);
}

/// On FreeBSD what is beyond the limit is paged out, and `ctr` has no flag for a limit of swap.
#[cfg(target_os = "linux")]
fn memory_beyond_the_limit_is_not_to_be_had(engine: &mut Engine<'_>) {
    // A shell that remembers more than it may, and is killed for it.
    let script = "x=0123456789abcdef; while :; do x=$x$x; done";
    let id = engine.id();
    let flags = ["--memory-limit", "33554432"];
    engine.run(&flags, &id, &["sh", "-c", script]).run().code_is(137);
    engine.remove(&id);
}
