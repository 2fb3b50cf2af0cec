//! The process in the containers of `cargo xtask demo`: uses IPv4 as it is told to and says of
//! each system call what came of it, `CALL: RESULT`, up to the first that fails.

// Saying it is what this program is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, SockaddrIn};

/// Whoever is on the other side is on the same machine, and was there first or is told to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A system call that failed, and why.
struct Failed(String, Errno);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args[..] {
        ["connect", address] => address.parse().map(connect),
        ["listen", address] => address.parse().map(listen),
        _ => {
            eprintln!("usage: demo-probe connect|listen ADDRESS:PORT");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(Failed(call, errno))) => {
            println!("{call}: {errno}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("demo-probe: {error}");
            ExitCode::from(2)
        }
    }
}

/// Connects to a server and reads the line that it answers with.
fn connect(to: SocketAddrV4) -> Result<(), Failed> {
    let socket = new_socket()?;
    let call = format!("connect {to}");
    socket::connect(socket.as_raw_fd(), &SockaddrIn::from(to)).map_err(failed(&call))?;
    println!("{call}: ok");
    let stream = TcpStream::from(socket);
    println!("getsockname: {}", stream.local_addr().map_err(os("getsockname"))?);
    stream.set_read_timeout(Some(PATIENCE)).map_err(os("setsockopt"))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).map_err(os("read"))?;
    println!("read: {}", line.trim_end());
    Ok(())
}

/// Answers one client with a line.
fn listen(at: SocketAddrV4) -> Result<(), Failed> {
    let socket = new_socket()?;
    let call = format!("bind {at}");
    socket::bind(socket.as_raw_fd(), &SockaddrIn::from(at)).map_err(failed(&call))?;
    println!("{call}: ok");
    socket::listen(&socket, Backlog::MAXCONN).map_err(failed("listen"))?;
    println!("listen: ok");
    let listener = TcpListener::from(socket);
    println!("getsockname: {}", listener.local_addr().map_err(os("getsockname"))?);

    let mut client = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    let patience = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
    match poll(&mut client, patience) {
        Ok(0) => return Err(Failed("accept".into(), Errno::ETIMEDOUT)),
        result => result.map_err(failed("poll"))?,
    };
    let (mut stream, from) = listener.accept().map_err(os("accept"))?;
    println!("accept: {from}");
    writeln!(stream, "hello from the container").map_err(os("write"))?;
    // The client is to close first: whoever does keeps the connection's port for a while.
    stream.set_read_timeout(Some(PATIENCE)).map_err(os("setsockopt"))?;
    stream.read(&mut [0]).map(drop).map_err(os("read"))
}

fn new_socket() -> Result<OwnedFd, Failed> {
    let socket = socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None)
        .map_err(failed("socket"))?;
    println!("socket: ok");
    Ok(socket)
}

fn failed(call: &str) -> impl FnOnce(Errno) -> Failed {
    move |errno| Failed(call.to_owned(), errno)
}

fn os(call: &str) -> impl FnOnce(io::Error) -> Failed {
    move |error| {
        let errno = error.raw_os_error().map_or(Errno::UnknownErrno, Errno::from_raw);
        Failed(call.to_owned(), errno)
    }
}
