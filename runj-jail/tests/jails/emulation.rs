//! What only the emulation has to prove: that nothing is left of its holders, and that it changes
//! addresses as FreeBSD's kernel does. Linux has all of 127.0.0.0/8 on the loopback interface,
//! which makes that easy to try.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::signal::{SIGKILL, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, getsockname, listen, socket};
use nix::unistd::Pid;
use runj_jail::{Error, Jail, Jailsys, Kind, Params, ProcessId, Value, host};

use crate::cases;
use crate::network::restricted;
use crate::support::{SOON, address, fresh_name, jail, params};
use crate::sys;

cases![
    a_jail_whose_holder_was_killed_is_gone,
    no_holder_is_left,
    a_zombie_that_nobody_collects_keeps_no_jail,
    many_may_make_jails_at_once,
    no_descriptor_is_left,
    a_jail_that_cannot_be_made_leaves_nothing,
    the_holder_lets_go_of_its_makers_descriptors,
    orphans_are_collected,
    a_procfs_shows_the_jail_alone,
    the_network_namespace_is_the_jails,
    privileged_calls_are_refused,
    other_families_need_permission,
    setuid_programs_stay_what_they_are,
    the_loopback_address_is_the_jails_first,
    any_address_of_several_stays_open,
    a_listening_socket_is_bound_to_the_jails_address,
    datagrams_by_every_call,
    a_constant_address_can_be_changed,
    a_thread_is_served_like_a_process,
];

fn descriptors() -> BTreeSet<String> {
    let list = fs::read_dir("/proc/self/fd").unwrap();
    list.map(|fd| fd.unwrap().file_name().into_string().unwrap()).collect()
}

/// The process that holds a jail, by its title.
fn holder(jail: &Jail) -> ProcessId {
    let title = format!("runj-jail-{}\n", jail.jid());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let Some(pid) = entry.unwrap().file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        if fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm == title) {
            found.extend(ProcessId::of(pid).unwrap());
        }
    }
    assert_eq!(found.len(), 1, "{title}");
    found[0]
}

fn a_jail_whose_holder_was_killed_is_gone() {
    let jail = jail(Params::new());
    kill(Pid::from_raw(holder(&jail).pid()), SIGKILL).unwrap();
    assert!(jail.wait_gone(SOON).unwrap());
    assert_eq!(Jail::find(&jail.name).unwrap(), None);
    assert!(!fs::exists(format!("/run/runj-jails/{}.json", jail.jid())).unwrap());
    assert!(!fs::exists(format!("/run/runj-jails/{}.socket", jail.jid())).unwrap());
}

fn no_holder_is_left() {
    let jail = jail(Params::new());
    let holder = holder(&jail);
    jail.remove().unwrap();
    assert!(jail.wait_gone(SOON).unwrap());
    assert!(!holder.is_alive().unwrap());
    // It was nobody's child here: nothing is left to collect.
    let status = nix::sys::wait::waitpid(Pid::from_raw(holder.pid()), None);
    assert_eq!(status, Err(nix::errno::Errno::ECHILD));
}

fn a_zombie_that_nobody_collects_keeps_no_jail() {
    let jail = jail(Params::new());
    let mut inside = sys::start(*jail, |output| {
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever()
    });
    inside.line();
    jail.remove().unwrap();
    assert!(jail.wait_gone(SOON).unwrap());
    inside.finish();
}

fn many_may_make_jails_at_once() {
    let root = tempfile::tempdir().unwrap();
    let makers: Vec<_> = (0..4)
        .map(|_| {
            let names: Vec<_> = (0..5).map(|_| fresh_name()).collect();
            let all: Vec<_> = names.iter().map(|name| params(name, &root)).collect();
            std::thread::spawn(move || {
                all.iter().map(|params| Jail::create(params).unwrap()).collect::<Vec<_>>()
            })
        })
        .collect();
    let jails: Vec<_> = makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect();
    let distinct: BTreeSet<_> = jails.iter().map(|jail| jail.jid()).collect();
    assert_eq!(distinct.len(), 20);
    let list = Jail::list().unwrap();
    assert!(jails.iter().all(|jail| list.contains(jail)));
    for jail in &jails {
        jail.remove().unwrap();
    }
    for jail in &jails {
        assert!(jail.wait_gone(SOON).unwrap());
    }
}

fn no_descriptor_is_left() {
    let before = descriptors();
    let jail = jail(Params::new());
    sys::run(*jail, |_| {});
    jail.processes().unwrap();
    assert_eq!(descriptors(), before);
    jail.remove().unwrap();
    assert!(jail.wait_gone(SOON).unwrap());
    assert_eq!(descriptors(), before);
}

fn a_jail_that_cannot_be_made_leaves_nothing() {
    let fds = descriptors();
    let root = tempfile::tempdir().unwrap();
    let name = fresh_name();
    // Linux keeps no more than 64 bytes, FreeBSD 255.
    let long = params(&name, &root).string("host.hostname", "n".repeat(65));
    let refused = Jail::create(&long).unwrap_err();
    let Error::Emulation { what, .. } = &refused else { panic!("{refused:?}") };
    assert!(what.contains("host.hostname"), "{what}");
    assert_eq!(refused.errno(), Some(nix::errno::Errno::EINVAL));
    assert_eq!(Jail::find(&name.parse().unwrap()).unwrap(), None);
    assert_eq!(descriptors(), fds);
    for entry in fs::read_dir("/run/runj-jails").unwrap() {
        // One that vanishes meanwhile is another's.
        let text = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        assert!(!text.contains(&name), "{text}");
    }
}

fn the_holder_lets_go_of_its_makers_descriptors() {
    let (reading, writing) = nix::unistd::pipe().unwrap();
    let jail = jail(Params::new());
    holder(&jail);
    drop(writing);
    // The end of the pipe is seen only when nobody else has it open.
    assert_eq!(nix::unistd::read(&reading, &mut [0]), Ok(0));
}

fn orphans_are_collected() {
    let jail = jail(Params::new());
    let mut inside = sys::start(*jail, |output| {
        for _ in 0..3 {
            sys::fork_sleeper();
        }
        writeln!(output, "ready").unwrap();
    });
    inside.line();
    inside.end();
    let orphans = jail.processes().unwrap();
    assert_eq!(jail.signal_all("KILL".parse().unwrap()).unwrap(), 3);
    assert!(jail.wait_empty(SOON).unwrap());
    for orphan in orphans {
        // Not even a zombie is left: the kernel collects for the holder, at once.
        assert!(orphan.wait(SOON).unwrap());
        let deadline = std::time::Instant::now() + SOON;
        while fs::exists(format!("/proc/{}", orphan.pid())).unwrap() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
    }
}

fn a_procfs_shows_the_jail_alone() {
    let jail = jail(Params::new());
    let mut inside = sys::start(*jail, |output| {
        writeln!(output, "ready").unwrap();
        sys::sleep_for_ever()
    });
    inside.line();
    let procfs = host::procfs(*jail).unwrap();
    let list = fs::read_dir(format!("/proc/self/fd/{}", procfs.as_raw_fd())).unwrap();
    let pids = list
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok())
        .collect::<Vec<_>>();
    // The holder, and the process that was just started.
    assert_eq!(pids.len(), 2, "{pids:?}");
    assert!(pids.contains(&1), "{pids:?}");
    kill(Pid::from_raw(inside.pid), SIGKILL).unwrap();
    inside.finish();
}

fn the_network_namespace_is_the_jails() {
    let name_of =
        |fd: &dyn AsRawFd| fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap();
    let hosts = fs::read_link("/proc/self/ns/net").unwrap();
    let own = jail(Params::new().jailsys("vnet", Jailsys::New));
    assert_ne!(name_of(&host::net_namespace(*own).unwrap()), hosts);
    let shared = jail(Params::new().jailsys("ip4", Jailsys::Inherit));
    assert_eq!(name_of(&host::net_namespace(*shared).unwrap()), hosts);
}

fn privileged_calls_are_refused() {
    use nix::mount::{MsFlags, mount};
    let tmpfs =
        |target: &str| mount(Some("tmpfs"), target, Some("tmpfs"), MsFlags::empty(), None::<&str>);
    let forbidden = jail(Params::new());
    let seen = sys::run(*forbidden, |output| write!(output, "{:?}", tmpfs("/")).unwrap());
    assert_eq!(seen, "Err(EPERM)");
    let allowed = jail(Params::new().flag("allow.mount", true).int("enforce_statfs", 1));
    let seen = sys::run(*allowed, |output| write!(output, "{:?}", tmpfs("/absent")).unwrap());
    assert_eq!(seen, "Err(ENOENT)");
}

fn other_families_need_permission() {
    let outside = sys::socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0);
    let inside = |params| {
        let jail = jail(params);
        sys::run(*jail, |output| {
            write!(output, "{}", sys::socket(libc::AF_ALG, libc::SOCK_SEQPACKET, 0)).unwrap();
        })
    };
    assert_eq!(inside(Params::new()), libc::EPROTONOSUPPORT.to_string());
    let allowed = Params::new().flag("allow.socket_af", true);
    assert_eq!(inside(allowed), outside.to_string());
}

fn setuid_programs_stay_what_they_are() {
    let root = Params::new().string("name", fresh_name()).string("path", "/");
    let jail = Jail::create(&root.flag("persist", true)).unwrap();
    let seen = sys::run(jail, |output| {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("NoNewPrivs")).unwrap();
        write!(output, "{line}").unwrap();
    });
    jail.remove().unwrap();
    assert!(jail.wait_gone(SOON).unwrap());
    assert_eq!(seen, "NoNewPrivs:\t0");
}

/// Connects from the jail to a server of the host's on every address: what the client has
/// reached, and who the server has seen.
fn from_inside(jail: &Jail, target: Ipv4Addr) -> (String, String) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut client = sys::start(*jail, |output| {
        let stream = TcpStream::connect((target, port)).unwrap();
        writeln!(output, "{}", stream.peer_addr().unwrap().ip()).unwrap();
    });
    let (_, peer) = listener.accept().unwrap();
    let reached = client.line();
    client.finish();
    (reached, peer.ip().to_string())
}

fn the_loopback_address_is_the_jails_first() {
    let (first, second, other) = (address(77), address(78), address(99));
    let jail = jail(restricted(&[first, second]));
    let seen = from_inside(&jail, Ipv4Addr::LOCALHOST);
    assert_eq!(seen, (first.to_string(), first.to_string()));
    let seen = from_inside(&jail, other);
    assert_eq!(seen, (other.to_string(), first.to_string()));

    let mut server = sys::start(*jail, |output| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        writeln!(output, "{}", listener.local_addr().unwrap()).unwrap();
        let (mut stream, peer) = listener.accept().unwrap();
        write!(stream, "hello {}", peer.ip()).unwrap();
    });
    let address: SocketAddr = server.line().parse().unwrap();
    assert_eq!(address.ip(), first);
    let mut text = String::new();
    TcpStream::connect(address).unwrap().read_to_string(&mut text).unwrap();
    // Linux chooses the source from the same network.
    assert_eq!(text, "hello 127.0.0.1");
    server.finish();
}

fn any_address_of_several_stays_open() {
    let (first, second, other) = (address(77), address(78), address(99));
    let several = jail(restricted(&[first, second]));
    let bound = |jail: &Jail, address: Ipv4Addr| {
        sys::run(*jail, |output| match TcpListener::bind((address, 0)) {
            Ok(listener) => write!(output, "{}", listener.local_addr().unwrap().ip()).unwrap(),
            Err(error) => write!(output, "{}", error.raw_os_error().unwrap()).unwrap(),
        })
    };
    assert_eq!(bound(&several, Ipv4Addr::UNSPECIFIED), "0.0.0.0");
    assert_eq!(bound(&several, second), second.to_string());
    assert_eq!(bound(&several, other), libc::EADDRNOTAVAIL.to_string());
    drop(several);
    let one = jail(restricted(&[first]));
    assert_eq!(bound(&one, Ipv4Addr::UNSPECIFIED), first.to_string());
}

fn a_listening_socket_is_bound_to_the_jails_address() {
    let first = address(77);
    let jail = jail(restricted(&[first]));
    let seen = sys::run(*jail, |output| {
        let fd =
            socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        listen(&fd, nix::sys::socket::Backlog::new(1).unwrap()).unwrap();
        let name: nix::sys::socket::SockaddrIn = getsockname(fd.as_raw_fd()).unwrap();
        write!(output, "{} {}", name.ip(), name.port() != 0).unwrap();
    });
    assert_eq!(seen, format!("{first} true"));
}

fn datagrams_by_every_call() {
    let (first, second) = (address(77), address(78));
    use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, sendmmsg, sendmsg, sendto};
    use std::io::IoSlice;

    let jail = jail(restricted(&[first, second]));
    let receiver = UdpSocket::bind((first, 0)).unwrap();
    receiver.set_read_timeout(Some(SOON)).unwrap();
    let port = receiver.local_addr().unwrap().port();
    let sent = sys::run(*jail, |output| {
        let target = SockaddrIn::new(127, 0, 0, 1, port);
        let new = || {
            let kind = SockType::Datagram;
            socket(AddressFamily::Inet, kind, SockFlag::SOCK_CLOEXEC, None).unwrap()
        };
        let none = MsgFlags::empty();
        let (one, two, three) = (new(), new(), new());
        sendto(one.as_raw_fd(), b"sendto", &target, none).unwrap();
        let text = [IoSlice::new(b"sendmsg")];
        sendmsg(two.as_raw_fd(), &text, &[], none, Some(&target)).unwrap();
        let mut headers = MultiHeaders::preallocate(2, None);
        let texts = [[IoSlice::new(b"first")], [IoSlice::new(b"second")]];
        let targets = [Some(target), Some(target)];
        let sent = sendmmsg(three.as_raw_fd(), &mut headers, &texts, targets, [], none);
        write!(output, "{}", sent.unwrap().count()).unwrap();
    });
    assert_eq!(sent, "2");
    for expected in ["sendto", "sendmsg", "first", "second"] {
        let mut bytes = [0; 64];
        let (length, from) = receiver.recv_from(&mut bytes).unwrap();
        assert_eq!(str::from_utf8(&bytes[..length]).unwrap(), expected);
        assert_eq!(from.ip(), first);
    }
}

fn a_constant_address_can_be_changed() {
    let first = address(77);
    let jail = jail(restricted(&[first]));
    let seen = sys::run(*jail, |output| {
        let bound = sys::bind_constant_loopback();
        write!(output, "{bound}").unwrap();
    });
    assert_eq!(seen, first.to_string());
}

fn a_thread_is_served_like_a_process() {
    let first = address(77);
    let jail = jail(restricted(&[first]));
    let seen = sys::run(*jail, |output| {
        let bound = std::thread::spawn(|| {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
            // Of its own table of descriptors, the thread of a process that does not share it
            // would need nothing less.
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.local_addr().unwrap().ip()
        });
        write!(output, "{}", bound.join().unwrap()).unwrap();
    });
    assert_eq!(seen, first.to_string());
    let values = jail.get(&[("ip4.addr", Kind::Ip4)]).unwrap();
    assert_eq!(values, [Value::Ip4(vec![first])]);
}
