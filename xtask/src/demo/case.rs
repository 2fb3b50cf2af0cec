//! The containers of the demo: what each is given, and what jail(8) promises of it.

use std::net::{Ipv4Addr, SocketAddr};

use super::server::{Server, Visit};

/// Where the host's server is.
pub(super) const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// An address that only a container has.
pub(super) const OWN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// One container.
pub(super) struct Case {
    pub(super) id: &'static str,
    /// The row in the table.
    pub(super) title: &'static str,
    /// In words.
    pub(super) promise: &'static str,
    /// runj.ext.json, if it gets one.
    pub(super) extension: Option<&'static str>,
    pub(super) kind: Kind,
}

/// What its process does, and what is to come of it.
pub(super) enum Kind {
    /// It connects to the host's server, at [`HOST`].
    Connects(Outcome),
    /// It is a server itself, bound to an address, and the host connects to each of these in turn.
    Serves { bound: Ipv4Addr, tried: &'static [Ipv4Addr], reached: Ipv4Addr },
}

/// What is to come of a connection that a process asks for.
pub(super) enum Outcome {
    /// There is no IPv4 to ask for one.
    NoIpv4,
    /// It is made, with both ends at this address: to a jail, the loopback address is the first of
    /// its own (`prison_remote_ip4` in netinet/in_jail.c).
    Within(Ipv4Addr),
}

pub(super) const INHERIT: &str = r#"{"network":{"ipv4":{"mode":"inherit"}}}"#;
pub(super) const DISABLE: &str = r#"{"network":{"ipv4":{"mode":"disable"}}}"#;
pub(super) const NEW: &str = r#"{"network":{"ipv4":{"mode":"new","addr":["127.0.0.2"]}}}"#;

/// All of them. Those whose processes connect share a config.json, as do the others.
pub(super) static CASES: [Case; 6] = [
    Case {
        id: "demo-inherit",
        title: "inherit",
        promise: "ip4=inherit: the host's addresses are the container's",
        extension: Some(INHERIT),
        kind: Kind::Connects(Outcome::Within(HOST)),
    },
    Case {
        id: "demo-disable",
        title: "disable",
        promise: "ip4=disable: there is no IPv4 in the container",
        extension: Some(DISABLE),
        kind: Kind::Connects(Outcome::NoIpv4),
    },
    Case {
        id: "demo-new",
        title: "new",
        promise: "ip4=new: the container has 127.0.0.2 alone; 127.0.0.1 means that one, too",
        extension: Some(NEW),
        kind: Kind::Connects(Outcome::Within(OWN)),
    },
    Case {
        id: "demo-none",
        title: "no runj.ext.json",
        promise: "ip4 not given: there is no IPv4 in the container",
        extension: None,
        kind: Kind::Connects(Outcome::NoIpv4),
    },
    Case {
        id: "demo-inherit-server",
        title: "inherit, a server",
        promise: "ip4=inherit: what listens on 127.0.0.1 in the container does so on the host",
        extension: Some(INHERIT),
        kind: Kind::Serves { bound: HOST, tried: &[HOST], reached: HOST },
    },
    Case {
        id: "demo-new-server",
        title: "new, a server",
        promise: "ip4=new: what listens on all addresses in the container does so on 127.0.0.2",
        extension: Some(NEW),
        kind: Kind::Serves { bound: Ipv4Addr::UNSPECIFIED, tried: &[HOST, OWN], reached: OWN },
    },
];

/// What was seen of one container.
#[derive(Default)]
pub(super) struct Seen {
    /// By the process: what the probe said.
    pub(super) inside: Vec<String>,
    /// By the host's server.
    pub(super) visits: Vec<Visit>,
    /// By the host as a client, where it was one.
    pub(super) calls: Vec<Call>,
}

/// An attempt of the host to reach a server in a container.
pub(super) struct Call {
    pub(super) to: SocketAddr,
    /// The host's end of the connection, or why there is none.
    pub(super) from: Result<SocketAddr, String>,
}

impl Case {
    /// Whether what was seen is what was promised.
    pub(super) fn is_kept(&self, seen: &Seen) -> bool {
        match &self.kind {
            Kind::Connects(Outcome::NoIpv4) => {
                let refused = |line: &String| line.starts_with("socket: EPROTONOSUPPORT:");
                seen.inside.len() == 1 && seen.inside.iter().all(refused) && seen.visits.is_empty()
            }
            Kind::Connects(Outcome::Within(address)) => {
                let own = seen.address("getsockname");
                let [visit] = seen.visits[..] else { return false };
                seen.said("read") == Some(Server::GREETING)
                    && visit.at.ip() == *address
                    && visit.from.ip() == *address
                    // It was this process that the server saw.
                    && own == Some(visit.from)
            }
            Kind::Serves { reached, .. } => {
                let own = seen.address("getsockname");
                let client = seen.address("accept");
                own.is_some_and(|own| own.ip() == *reached)
                    && seen.calls.iter().any(|call| call.from.is_ok())
                    && seen.calls.iter().all(|call| match call.from {
                        Ok(from) => Some(call.to) == own && Some(from) == client,
                        Err(_) => Some(call.to) != own,
                    })
            }
        }
    }
}

impl Seen {
    /// The result of a call of the process, if it made it.
    pub(super) fn said(&self, call: &str) -> Option<&str> {
        self.inside.iter().find_map(|line| line.strip_prefix(call)?.strip_prefix(": "))
    }

    fn address(&self, call: &str) -> Option<SocketAddr> {
        self.said(call)?.parse().ok()
    }

    /// What the process saw in the end, for the table.
    pub(super) fn by_process(&self) -> &str {
        self.inside.last().map_or("nothing", String::as_str)
    }
}

/// What the host saw, for the table.
pub(super) fn by_host(visits: &[Visit], calls: &[Call]) -> String {
    let visits =
        visits.iter().map(|Visit { at, from }| format!("{} came to {}", from.ip(), at.ip()));
    let calls = calls.iter().map(|Call { to, from }| match from {
        Ok(_) => format!("reached at {}", to.ip()),
        Err(_) => format!("not reached at {}", to.ip()),
    });
    let all: Vec<_> = visits.chain(calls).collect();
    if all.is_empty() { "nobody came".into() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &str) -> &'static Case {
        CASES.iter().find(|case| case.id == id).unwrap()
    }

    fn visit(at: &str, from: &str) -> Visit {
        Visit { at: at.parse().unwrap(), from: from.parse().unwrap() }
    }

    fn inside(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    const REFUSED: &str = "socket: EPROTONOSUPPORT: Protocol not supported";
    const ANSWERED: &str =
        "socket: ok\nconnect 127.0.0.1:7: ok\ngetsockname: 127.0.0.2:9\nread: hello from the host";

    #[test]
    fn a_refused_socket_keeps_the_promise_of_no_ipv4_alone() {
        let refused = Seen { inside: inside(REFUSED), ..Seen::default() };
        let answered = Seen {
            inside: inside(ANSWERED),
            visits: vec![visit("127.0.0.2:7", "127.0.0.2:9")],
            calls: vec![],
        };
        for id in ["demo-disable", "demo-none"] {
            assert!(case(id).is_kept(&refused));
            assert!(!case(id).is_kept(&answered));
            assert!(!case(id).is_kept(&Seen::default()), "nothing seen is nothing shown");
        }
        for id in ["demo-inherit", "demo-new", "demo-inherit-server", "demo-new-server"] {
            assert!(!case(id).is_kept(&refused));
            assert!(!case(id).is_kept(&Seen::default()));
        }
        assert!(case("demo-new").is_kept(&answered));
        assert!(!case("demo-inherit").is_kept(&answered));
    }

    #[test]
    fn a_visit_that_is_not_the_process_s_own_shows_nothing() {
        for visits in [
            vec![],
            vec![visit("127.0.0.2:7", "127.0.0.2:10")],
            vec![visit("127.0.0.1:7", "127.0.0.2:9")],
            vec![visit("127.0.0.2:7", "127.0.0.2:9"); 2],
        ] {
            let seen = Seen { inside: inside(ANSWERED), visits, calls: vec![] };
            assert!(!case("demo-new").is_kept(&seen));
        }
    }

    #[test]
    fn a_server_inside_is_to_be_reached_where_it_is_and_nowhere_else() {
        let seen = |calls| Seen {
            inside: inside("socket: ok\ngetsockname: 127.0.0.2:8\naccept: 127.0.0.2:9"),
            visits: vec![],
            calls,
        };
        let call = |to: &str, from: Result<&str, &str>| Call {
            to: to.parse().unwrap(),
            from: from.map(|from| from.parse().unwrap()).map_err(str::to_owned),
        };
        let new = case("demo-new-server");
        let reached = || call("127.0.0.2:8", Ok("127.0.0.2:9"));
        assert!(new.is_kept(&seen(vec![call("127.0.0.1:8", Err("refused")), reached()])));
        assert!(!new.is_kept(&seen(vec![call("127.0.0.1:8", Ok("127.0.0.1:9")), reached()])));
        assert!(!new.is_kept(&seen(vec![call("127.0.0.2:8", Err("refused"))])));
        assert!(!new.is_kept(&seen(vec![])));
        assert!(!case("demo-inherit-server").is_kept(&seen(vec![reached()])));
    }
}
