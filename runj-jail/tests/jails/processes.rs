//! What is told of the processes in a jail.

use std::io::Write;

use runj_jail::{Params, RunState, Signal};

use crate::support::{SOON, jail};
use crate::{cases, sys};

cases![a_process_without_arguments_is_told_of, a_process_is_known_to_have_stopped];

fn a_process_without_arguments_is_told_of() {
    let jail = jail(Params::new());
    let mut honest = sys::start(*jail, |output| {
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever();
    });
    let spoil = sys::spoiler();
    let mut spoilt = sys::start(*jail, |output| {
        spoil();
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever();
    });
    assert_eq!([honest.line(), spoilt.line()], ["ready", "ready"]);
    let infos = jail.process_infos().unwrap();
    let command = |pid| &infos.iter().find(|info| info.id.pid() == pid).unwrap().command;
    assert!(command(honest.pid).contains("jails"), "{infos:?}");
    let spoilt_command = command(spoilt.pid);
    assert!(spoilt_command.starts_with('[') && spoilt_command.ends_with(']'), "{infos:?}");
    assert_eq!(jail.usage().unwrap().processes, 2);
    jail.remove().unwrap();
    honest.end();
    spoilt.end();
}

fn a_process_is_known_to_have_stopped() {
    let jail = jail(Params::new());
    let mut inside = sys::start(*jail, |output| {
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever();
    });
    assert_eq!(inside.line(), "ready");
    let state = || {
        let states = jail.process_states().unwrap();
        let [state] = &states[..] else { panic!("{states:?}") };
        assert_eq!(state.id.pid(), inside.pid);
        assert!(state.name.contains("jails"), "{state:?}");
        state.run
    };
    assert_eq!(state(), RunState::Runnable);
    let deadline = std::time::Instant::now() + SOON;
    for (signal, expected) in
        [(Signal::STOP, RunState::Stopped), (Signal::CONT, RunState::Runnable)]
    {
        jail.signal_all(signal).unwrap();
        while state() != expected {
            assert!(std::time::Instant::now() < deadline, "it is not {expected:?}");
            std::thread::yield_now();
        }
    }
    jail.remove().unwrap();
    inside.end();
}
