//! `start`: a shim is left behind.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::{env, fs, io};

use runj_faults::{Point, at};

use crate::address;
use crate::bootstrap::{self, Request};
use crate::bundle::Bundle;
use crate::error::Error;
use crate::flags::Flags;
use crate::identity::Identity;

/// The variable in which containerd says where events go.
pub(crate) const TTRPC_ADDRESS: &str = "TTRPC_ADDRESS";

/// Starts a shim for the container whose bundle is the working directory, and tells its address.
pub(crate) fn run(flags: &Flags) -> Result<(), Error> {
    let identity = Identity::of(flags)?;
    let mut input = Vec::new();
    io::stdin()
        .take(bootstrap::LIMIT)
        .read_to_end(&mut input)
        .map_err(Error::io("standard input"))?;
    let request = Request::parse(&input, flags);
    let bundle = Bundle::of(flags)?;
    let directory = request.socket_directory.as_deref();
    let socket = address::socket(directory, &flags.address, &identity);
    let address = format!("unix://{}", socket.display());

    at(Point::ShimListen)?;
    let mut started = None;
    if let Some(listener) = address::listen(&socket)? {
        let program = env::current_exe().map_err(Error::io("this program"))?;
        let mut shim = Command::new(program);
        shim.arg("-namespace").arg(&flags.namespace).arg("-id").arg(&flags.id);
        shim.arg("-address").arg(&flags.address).arg("-bundle").arg(bundle.path());
        shim.arg("-socket").arg(&socket);
        if flags.debug {
            shim.arg("-debug");
        }
        if let Some(address) = &request.ttrpc_address {
            shim.env(TTRPC_ADDRESS, address);
        }
        // containerd reads our standard streams to their end: the shim gets none of them. Its
        // standard input is what it listens at.
        shim.stdin(OwnedFd::from(listener)).stdout(Stdio::null()).stderr(Stdio::null());
        let spawned = at(Point::ShimSpawn).map_err(io::Error::from).and_then(|()| shim.spawn());
        match spawned {
            Ok(shim) => started = Some(shim),
            Err(error) => {
                address::remove(&socket);
                return Err(Error::io("starting the shim")(error));
            }
        }
    }
    let told = tell(&address, &request, &bundle);
    if let Some(mut shim) = started.filter(|_| told.is_err()) {
        // Nobody knows of it. Should it have ended, that is what is wanted.
        let _ = shim.kill();
        address::remove(&socket);
    }
    told
}

/// Tells where the shim listens.
fn tell(address: &str, request: &Request, bundle: &Bundle) -> Result<(), Error> {
    // Where containerd 1.x finds the shim again after a restart.
    let file = bundle.path().join("address");
    at(Point::ShimAddress)?;
    fs::write(&file, address).map_err(Error::io(format!("{}", file.display())))?;
    at(Point::ShimAnswer)?;
    io::stdout().write_all(&request.answer(address)?).map_err(Error::io("standard output"))
}
