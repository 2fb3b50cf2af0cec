//! Many containers.

use runj_tests::containerd::{Engine, IMAGE};

use crate::case::cases;

cases![twenty_at_once, the_same_id_in_two_namespaces];

fn twenty_at_once(engine: &mut Engine<'_>) {
    let running: Vec<_> = (1..=20)
        .map(|number| {
            let script = format!("echo {number}; sleep 1; exit {number}");
            (number, engine.run(&["--rm"], &engine.id(), &["sh", "-c", &script]).spawn())
        })
        .collect();
    for (number, running) in running {
        assert_eq!(running.wait().code_is(number), format!("{number}\n"));
    }
}

fn the_same_id_in_two_namespaces(engine: &mut Engine<'_>) {
    let id = engine.id();
    engine.import("other", IMAGE, &["sh"]);
    for namespace in ["default", "other"] {
        let script = format!("echo {namespace}; sleep 1000");
        engine.run_in(namespace, &["--detach"], &id, &["sh", "-c", &script]).run().code_is(0);
    }
    for namespace in ["default", "other"] {
        let exec = ["task", "exec", "--exec-id", "e", &id, "echo", namespace];
        let outcome = engine.ctr(["--namespace", namespace]).args(exec).run();
        assert_eq!(outcome.code_is(0), format!("{namespace}\n"));
    }
    // The end of the one is not that of the other.
    engine.ctr(["--namespace", "other", "task", "rm", "--force", &id]).run();
    engine.ctr(["--namespace", "other", "container", "rm", &id]).run().code_is(0);
    assert_eq!(engine.status(&id), "RUNNING");
    engine.remove(&id);
}
