//! Images that are made by running their lines in containers.

use runj_tests::Invocation;
use runj_tests::engines::Engine;

use crate::case::cases;

cases![
    buildah_builds,
    podman_builds,
    a_line_that_fails_fails_the_build,
    lines_have_the_host_s_network,
    lines_can_have_no_network,
    buildah_runs_in_a_working_container,
];

/// Builds with these lines; the tag of the image is `made`.
fn bud(engine: &Engine<'_>, flags: &[&str], lines: &str) -> Invocation {
    let context = engine.dockerfile(lines);
    engine.buildah(["bud", "--tag", "made"]).args(flags).args([context])
}

const LINES: &str = "RUN echo first > /made && mkdir /more\n\
                     WORKDIR /more\n\
                     RUN pwd >> /made; cat /made\n\
                     RUN [\"sh\", \"-c\", \"echo $0 >> /made\", \"third\"]";

fn assert_made(engine: &Engine<'_>) {
    let cat = ["run", "--rm", "localhost/made", "cat", "/made"];
    assert_eq!(engine.podman(cat).run().ok(), "first\n/more\nthird\n");
}

fn buildah_builds(engine: &Engine<'_>) {
    let said = bud(engine, &[], LINES).run().ok();
    assert!(said.contains("first\n/more\n"), "{said}");
    assert_made(engine);
}

fn podman_builds(engine: &Engine<'_>) {
    let context = engine.dockerfile(LINES);
    let said = engine.podman(["build", "--tag", "made", &context]).run().ok();
    assert!(said.contains("first\n/more\n"), "{said}");
    assert_made(engine);
}

fn a_line_that_fails_fails_the_build(engine: &Engine<'_>) {
    let outcome = bud(engine, &[], "RUN exit 42").run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stderr().contains("exit status 42"), "{}", outcome.stderr());
    let outcome = bud(engine, &[], "RUN [\"no-such-program\"]").run();
    assert_ne!(outcome.code(), 0);
    let message = outcome.stderr();
    assert!(message.contains("executable file not found in $PATH"), "{message}");
}

/// A line that succeeds where there is IPv4.
const SOCKET: &str =
    "RUN nc -l -p 0 -w 1 < /dev/null 2> /said; cat /said; ! grep -q Protocol /said";

fn lines_have_the_host_s_network(engine: &Engine<'_>) {
    bud(engine, &["--network=host"], SOCKET).run().ok();
}

fn lines_can_have_no_network(engine: &Engine<'_>) {
    let outcome = bud(engine, &["--network=none"], SOCKET).run();
    assert_ne!(outcome.code(), 0);
    assert!(outcome.stdout().contains("rotocol not supported"), "{}", outcome.stdout());
}

fn buildah_runs_in_a_working_container(engine: &Engine<'_>) {
    let name = engine.buildah(["from", runj_tests::engines::IMAGE]).run().ok();
    let name = name.trim();
    let outcome = engine.buildah(["run", name, "--", "sh", "-c", "echo in > /kept; exit 3"]).run();
    outcome.code_is(3);
    assert_eq!(engine.buildah(["run", name, "--", "cat", "/kept"]).run().ok(), "in\n");
    engine.buildah(["rm", name]).run().ok();
}
