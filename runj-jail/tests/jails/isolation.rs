use std::fs::{self, File};
use std::io::Write;
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Pid, getcwd, gethostname, getpid, sethostname};
use runj_jail::{Jailsys, Kind, Params, Value};

use crate::cases;
use crate::support::jail;
use crate::sys;

cases![
    the_root_is_the_jails,
    a_host_name_is_the_jails_own,
    an_inherited_host_name_is_the_hosts,
    set_hostname_may_be_forbidden,
    processes_outside_are_out_of_reach,
    processes_inside_are_seen_from_outside,
    an_open_directory_keeps_a_process_out,
    other_descriptors_do_not,
    system_v_memory_is_absent_own_or_shared,
];

fn the_root_is_the_jails() {
    let jail = jail(Params::new());
    fs::write(jail.root.path().join("file"), "").unwrap();
    let seen = sys::run(*jail, |output| {
        let names: Vec<_> = fs::read_dir("/").unwrap().map(|f| f.unwrap().file_name()).collect();
        write!(output, "{} {names:?}", getcwd().unwrap().display()).unwrap();
    });
    assert_eq!(seen, r#"/ ["file"]"#);
}

fn hostname_inside(jail: runj_jail::Jail) -> String {
    sys::run(jail, |output| {
        write!(output, "{}", gethostname().unwrap().display()).unwrap();
    })
}

fn a_host_name_is_the_jails_own() {
    let before = gethostname().unwrap();
    let jail = jail(Params::new().string("host.hostname", "inside.example"));
    assert_eq!(hostname_inside(*jail), "inside.example");
    sys::run(*jail, |_| sethostname("renamed.example").unwrap());
    assert_eq!(hostname_inside(*jail), "renamed.example");
    let read = jail.get(&[("host.hostname", Kind::String)]).unwrap();
    assert_eq!(read, [Value::String("renamed.example".into())]);
    assert_eq!(gethostname().unwrap(), before);
}

fn an_inherited_host_name_is_the_hosts() {
    let jail = jail(Params::new().jailsys("host", Jailsys::Inherit));
    let host = gethostname().unwrap().into_string().unwrap();
    assert_eq!(hostname_inside(*jail), host);
    jail.update(&Params::new().string("host.hostname", "own.example")).unwrap();
    assert_eq!(hostname_inside(*jail), "own.example");
    assert_eq!(gethostname().unwrap().to_str(), Some(host.as_str()));
}

fn set_hostname_may_be_forbidden() {
    let params = Params::new().string("host.hostname", "inside.example");
    let jail = jail(params.flag("allow.set_hostname", false));
    let seen = sys::run(*jail, |output| {
        write!(output, "{:?}", sethostname("x.example")).unwrap();
    });
    assert_eq!(seen, "Err(EPERM)");
    assert_eq!(hostname_inside(*jail), "inside.example");
}

fn processes_outside_are_out_of_reach() {
    let jail = jail(Params::new());
    let outside = getpid();
    let seen = sys::run(*jail, |output| {
        write!(output, "{:?}", kill(outside, None)).unwrap();
    });
    assert_eq!(seen, "Err(ESRCH)");
}

fn processes_inside_are_seen_from_outside() {
    let jail = jail(Params::new());
    let mut inside = sys::start(*jail, |output| {
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever()
    });
    inside.line();
    let pids: Vec<i32> = jail.processes().unwrap().iter().map(|of| of.pid()).collect();
    assert_eq!(pids, [inside.pid]);
    kill(Pid::from_raw(inside.pid), nix::sys::signal::SIGKILL).unwrap();
    inside.finish();
}

fn an_open_directory_keeps_a_process_out() {
    let jail = jail(Params::new());
    let opened = sys::enter_with(*jail, || File::open("/").unwrap());
    assert_eq!(opened, Err(Errno::EPERM));
}

fn other_descriptors_do_not() {
    let jail = jail(Params::new());
    let (socket, _other) = UnixStream::pair().unwrap();
    let socket = std::os::fd::OwnedFd::from(socket);
    assert_eq!(sys::enter_with(*jail, || File::from(socket)), Ok(()));
}

fn system_v_memory_is_absent_own_or_shared() {
    let segment = sys::Segment::new();
    assert_eq!(segment.stat(), Ok(()));
    let inside = |params| {
        let jail = jail(params);
        sys::run(*jail, |output| write!(output, "{:?}", segment.stat()).unwrap())
    };
    assert_eq!(inside(Params::new()), "Err(ENOSYS)");
    assert_eq!(inside(Params::new().jailsys("sysvshm", Jailsys::New)), "Err(EINVAL)");
    assert_eq!(inside(Params::new().jailsys("sysvshm", Jailsys::Inherit)), "Ok(())");
    assert_eq!(inside(Params::new().flag("allow.sysvipc", true)), "Ok(())");
}
