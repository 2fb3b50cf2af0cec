//! The shim's life.

use std::env;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use runj_faults::{Point, at};
use tokio::runtime;
use ttrpc::r#async::Server;
use ttrpc::r#async::transport::Listener;

use crate::bundle::Bundle;
use crate::error::Error;
use crate::events::Events;
use crate::flags::Flags;
use crate::identity::Identity;
use crate::reaper::Reaper;
use crate::service::Service;
use crate::shim::Shim;
use crate::start::TTRPC_ADDRESS;
use crate::{address, log};

/// Serves the container at the socket that is standard input, until it is told to end.
pub(crate) fn run(flags: &Flags) -> Result<(), Error> {
    let identity = Identity::of(flags)?;
    let bundle = Bundle::of(flags)?;
    let listener = listener()?;
    // A session of its own: containerd's terminal, if it has one, is nothing to us.
    rustix::process::setsid().map_err(Error::io("setsid(2)"))?;
    env::set_current_dir("/").map_err(Error::io("/"))?;
    log::start(bundle.path(), flags.debug);

    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::io("the runtime"))?;
    let served = runtime.block_on(serve(flags, identity, bundle, listener));
    address::remove(&flags.socket);
    if let Err(error) = &served {
        tracing::error!("{}", crate::error::whole(error));
    }
    served
}

async fn serve(
    flags: &Flags,
    identity: Identity,
    bundle: Bundle,
    listener: UnixListener,
) -> Result<(), Error> {
    at(Point::ShimServe)?;
    let reaper = Reaper::start()?;
    let address =
        env::var(TTRPC_ADDRESS).unwrap_or_else(|_| format!("{}.ttrpc", flags.address.display()));
    let events = Events::start(identity.namespace.as_ref(), address);
    let shim = Arc::new(Shim::new(identity, bundle, reaper, events, flags.socket.clone()));

    let listener = Listener::try_from(listener).map_err(Error::io("the shim's socket"))?;
    let mut server = Server::new().add_listener(listener).register_service(Service::methods(&shim));
    let failed =
        |error| Error::io("the task service")(std::io::Error::other::<ttrpc::Error>(error));
    server.start().await.map_err(failed)?;
    tracing::info!("the shim of {} is ready", shim.identity.id.as_ref());

    tokio::select! {
        () = shim.end.notified() => tracing::debug!("the shim is told to end"),
        () = shim.forgotten() => tracing::info!("the shim ends: nobody wants it"),
    }
    // Lets the last answer go out.
    server.shutdown().await.map_err(failed)
}

/// Takes the listening socket from standard input, so that it is closed to what is started.
fn listener() -> Result<UnixListener, Error> {
    const WHAT: &str = "standard input";
    let socket = std::io::stdin().as_fd().try_clone_to_owned().map_err(Error::io(WHAT))?;
    let null = std::fs::File::open("/dev/null").map_err(Error::io("/dev/null"))?;
    nix::unistd::dup2_stdin(&null).map_err(Error::io(WHAT))?;
    let listener = UnixListener::from(socket);
    // It is one only if `start` has started us.
    listener.local_addr().map_err(Error::io(WHAT))?;
    Ok(listener)
}
