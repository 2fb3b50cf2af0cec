//! `delete`: nothing is left of a container, whatever became of its shim.
//!
//! containerd calls this when it has lost a shim, and after every one that ended as it should.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use protobuf::Message as _;
use runj_faults::{Point, at};

use crate::bundle::Bundle;
use crate::error::Error;
use crate::exit::Exit;
use crate::flags::Flags;
use crate::identity::Identity;
use crate::rpc::task::DeleteResponse;
use crate::{address, rootfs};

/// The status of a container whose end nobody saw: 128 and SIGKILL, which ends what still runs.
const KILLED: u32 = 137;

/// Cleans up, and tells containerd how the container ended.
pub(crate) fn run(flags: &Flags) -> Result<(), Error> {
    let identity = Identity::of(flags)?;
    let bundle = Bundle::of(flags)?;
    let pid = fs::read_to_string(bundle.pid_file()).ok().and_then(|pid| pid.trim().parse().ok());
    let exit = bundle.exit();

    let deleted = delete_container(&bundle, &identity);
    let unmounted = rootfs::unmount(&bundle.rootfs());
    for socket in sockets(flags, &bundle, &identity) {
        address::remove(&socket);
    }
    deleted.and(unmounted)?;

    at(Point::ShimAnswer)?;
    let exit = exit.unwrap_or_else(|| Exit::now(KILLED));
    let response = DeleteResponse {
        pid: pid.unwrap_or_default(),
        exit_status: exit.status,
        exited_at: exit.time(),
        ..DeleteResponse::default()
    };
    response
        .write_to_writer(&mut std::io::stdout())
        .map_err(|error| Error::io("standard output")(std::io::Error::other(error)))
}

/// `runj delete --force`, which does not mind that there is none.
fn delete_container(bundle: &Bundle, identity: &Identity) -> Result<(), Error> {
    // Without notes none was ever about to be made, or the bundle is gone with all of it.
    let Some(notes) = bundle.notes() else { return Ok(()) };
    let mut runj = Command::new(&notes.runj);
    runj.arg("--root").arg(&notes.root).args(["delete", "--force"]).arg(identity.id.as_ref());
    // Standard output is for the answer; what it has to say goes into containerd's log with ours.
    runj.stdin(Stdio::null()).stdout(Stdio::null());
    at(Point::ShimDelete)?;
    let status = runj.status().map_err(Error::io(format!("{}", notes.runj.display())))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Runj { verb: "delete", message: status.to_string() })
}

/// Where the shim may have listened.
fn sockets(flags: &Flags, bundle: &Bundle, identity: &Identity) -> Vec<PathBuf> {
    let noted = fs::read_to_string(bundle.path().join("address"));
    let noted = noted.ok().and_then(|text| Some(PathBuf::from(text.strip_prefix("unix://")?)));
    let usual = address::socket(None, &flags.address, identity);
    noted.into_iter().chain([usual]).collect()
}
