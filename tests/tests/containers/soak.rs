//! Lifecycles, one after the other: nothing grows. `cargo xtask soak` runs a thousand.

use std::env;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use runj_jail::Signal;
use runj_runtime::{CreateOptions, ExecOptions, Io, Runtime};
use runj_spec::Process;
use runj_tests::{DEADLINE, Sandbox, descriptors, memory};
use serde_json::{Value, json};

use crate::case::cases;
use crate::starved::laborious;

cases![lifecycles_leave_nothing, lifecycles_in_one_process_make_it_no_larger];

/// How many there are.
fn rounds() -> usize {
    env::var("RUNJ_SOAK").map_or(50, |rounds| rounds.parse().expect("RUNJ_SOAK is a number"))
}

fn lifecycles_leave_nothing(sandbox: &Sandbox<'_>) {
    let bundle = laborious(sandbox).args(["sleep", "1000"]);
    let before = sandbox.host();
    for round in 0..rounds() {
        let container = sandbox.start(&bundle);
        container.exec([], ["true"]).run().succeeded_silently();
        container.end();
        assert_eq!(fs::read_dir(sandbox.state_dir()).unwrap().count(), 0, "round {round}");
        sandbox.host().assert_unchanged_since(&before);
    }
}

/// The variable of the environment by which this program knows that it is to be that one process.
const ROLE: &str = "RUNJ_TEST_LIFECYCLES";

/// How long one round may take on an emulated machine.
const PER_ROUND: Duration = Duration::from_secs(5);

fn lifecycles_in_one_process_make_it_no_larger(sandbox: &Sandbox<'_>) {
    let bundle = laborious(sandbox).args(["sleep", "1000"]);
    let terminal = sandbox.bundle().set("process.terminal", true).args(["sleep", "1000"]);
    // Refused before anything was done, and after some of it.
    let wrong = sandbox.bundle().set("process.cwd", "/missing");
    let refused = laborious(sandbox).args(["sleep", "1000"]);
    let refused = refused.set("hooks.createRuntime", json!([{ "path": "/missing" }]));
    let before = sandbox.host();
    let bundles = [&bundle, &terminal, &wrong, &refused].map(|bundle| bundle.dir().to_owned());
    let told = sandbox.this_program().env(ROLE, rounds().to_string());
    let told = told.args([sandbox.state_dir()]).args(bundles).spawn();
    let told = told.wait_within(DEADLINE.max(PER_ROUND * u32::try_from(rounds()).unwrap())).json();
    let pair = |name: &str| [0, 1].map(|index| told[name][index].as_u64().unwrap());
    let [first, last] = pair("descriptors");
    assert_eq!(first, last, "descriptors: {told}");
    let [first, last] = pair("memory");
    // An allocator gives nothing back and takes by the page: this is what that may come to, but
    // not what a kilobyte would that is lost in each of a thousand lifecycles.
    assert!(last <= first + (512 << 10), "memory: {told}");
    sandbox.host().assert_unchanged_since(&before);
}

/// Does the work of the one process, if this is to be that.
pub(crate) fn lifecycles() -> Option<ExitCode> {
    let rounds: usize = env::var(ROLE).ok()?.parse().expect("a number");
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [root, bundle, terminal, refused @ ..] = arguments.as_slice() else { panic!("paths") };
    let runtime = Runtime::new(root);
    let own = std::process::id().cast_signed();
    let round = |number: usize| {
        lifecycle(&runtime, number, CreateOptions::new(bundle));
        let relayed = Io::default().relays_terminal(true);
        lifecycle(&runtime, number, CreateOptions::new(terminal).io(relayed));
        for refused in refused {
            let id = format!("r{own}x{number}").parse().unwrap();
            runtime.create(&id, &CreateOptions::new(refused)).unwrap_err();
        }
        assert!(runtime.list().unwrap().is_empty());
    };
    // What is made once is made in these.
    (0..rounds / 2).for_each(round);
    let measure = || [descriptors(own), memory(own)];
    let before = measure();
    (0..rounds).for_each(round);
    let after = measure();
    let told: Value = json!({
        "descriptors": [before[0], after[0]],
        "memory": [before[1], after[1]],
    });
    #[allow(clippy::print_stdout)]
    {
        println!("{told}");
    }
    Some(ExitCode::SUCCESS)
}

/// From create to delete, with one more process.
fn lifecycle(runtime: &Runtime, number: usize, options: CreateOptions) {
    let id = format!("l{}x{number}", std::process::id()).parse().unwrap();
    let created = runtime.create(&id, &options).unwrap();
    runtime.start(&id).unwrap();
    runtime.state(&id).unwrap();
    assert_eq!(runtime.list().unwrap().len(), 1);
    let process = json!({ "args": ["/bin/sh", "-c", "exit 0"], "cwd": "/", "env": [] });
    let process = Process::parse(process.to_string().as_bytes(), "process").unwrap();
    let executed = runtime.exec(&id, &ExecOptions::new(process, "process")).unwrap();
    waitpid(Pid::from_raw(executed.pid), None).unwrap();
    runtime.kill(&id, Signal::KILL, false).unwrap();
    waitpid(Pid::from_raw(created.pid), None).unwrap();
    runtime.delete(&id, false).unwrap();
}
