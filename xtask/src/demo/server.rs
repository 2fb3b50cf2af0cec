//! The server on the host that the containers try to reach.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, SockaddrIn};

/// A server on one port of some of the host's addresses. It lives until the end of this process.
pub(super) struct Server {
    pub(super) port: u16,
    visits: Receiver<Visit>,
}

/// One connection, as the server saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    /// The server's end.
    pub(super) at: SocketAddr,
    /// The other end.
    pub(super) from: SocketAddr,
}

impl Server {
    /// What every visitor is told.
    pub(super) const GREETING: &str = "hello from the host";

    /// Listens at a port that is free, and at the same one of the other address.
    pub(super) fn start(address: Ipv4Addr, other: Ipv4Addr) -> io::Result<Self> {
        let first = listen(SocketAddrV4::new(address, 0))?;
        let port = first.local_addr()?.port();
        let second = listen(SocketAddrV4::new(other, port))?;
        let (sender, visits) = mpsc::channel();
        for listener in [first, second] {
            let sender = sender.clone();
            thread::spawn(move || serve(&listener, &sender));
        }
        Ok(Self { port, visits })
    }

    /// The visits since this was last asked.
    pub(super) fn visits(&self) -> Vec<Visit> {
        self.visits.try_iter().collect()
    }
}

fn listen(at: SocketAddrV4) -> io::Result<TcpListener> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket: OwnedFd = socket::socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
    // The address that is a container's is the host's only while the container is there.
    #[cfg(target_os = "freebsd")]
    socket::setsockopt(&socket, socket::sockopt::BindAny, &true)?;
    socket::bind(socket.as_raw_fd(), &SockaddrIn::from(at))?;
    socket::listen(&socket, Backlog::MAXCONN)?;
    Ok(socket.into())
}

fn serve(listener: &TcpListener, visits: &Sender<Visit>) {
    for connection in listener.incoming() {
        let Ok(mut connection) = connection else { continue };
        let (Ok(at), Ok(from)) = (connection.local_addr(), connection.peer_addr()) else {
            continue;
        };
        // Before the answer, so that whoever has been answered is on record.
        if visits.send(Visit { at, from }).is_err() {
            return;
        }
        // A visitor that does not stay is no less of a visitor.
        let _ = writeln!(connection, "{}", Server::GREETING);
    }
}
