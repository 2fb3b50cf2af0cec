//! Programs that are given a container's output to log it.

use std::collections::BTreeMap;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use runj_jail::{ProcessId, Signal};
use tokio::io::Interest;
use tokio::time::timeout;

use super::file;
use crate::error::{Error, whole};
use crate::identity::Identity;
use crate::reaper::{End, Reaper};
use crate::sys::pollable;

/// How long a logger may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(10);

/// A logger that runs.
#[derive(Debug)]
pub(super) struct Logger {
    process: Option<ProcessId>,
    end: End,
}

impl Logger {
    /// Starts the program of a `binary://` URI, given without its scheme; the ends to write to.
    ///
    /// The program gets the URI's query as its arguments, CONTAINER_ID and CONTAINER_NAMESPACE, the
    /// container's output as descriptors 3 and 4, and closes 5 when it is ready.
    pub(super) async fn start(
        uri: &str,
        identity: &Identity,
        reaper: &Reaper,
    ) -> Result<(Self, OwnedFd, OwnedFd), Error> {
        let program = file::path(uri)?;
        let failed = || Error::io(format!("the logger {}", program.display()));
        let (stdout, stdout_writer) = io::pipe().map_err(failed())?;
        let (stderr, stderr_writer) = io::pipe().map_err(failed())?;
        let (ready, not_ready) = io::pipe().map_err(failed())?;

        let mut command = Command::new(&program);
        command.args(arguments(uri)).env_clear();
        command.env("CONTAINER_ID", identity.id.as_ref());
        command.env("CONTAINER_NAMESPACE", identity.namespace.as_ref());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let given: [OwnedFd; 3] = [stdout.into(), stderr.into(), not_ready.into()];
        let mappings = given.into_iter().zip(3..);
        let mappings = mappings.map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd });
        command.fd_mappings(mappings.collect()).map_err(io::Error::other).map_err(failed())?;
        let started = reaper.spawn(&mut command);
        // Its ends of the pipes are its alone.
        drop(command);
        let (pid, end) = started.map_err(failed())?;
        let logger = Self { process: ProcessId::of(pid)?, end };
        match timeout(PATIENCE, closed(ready)).await {
            Ok(closed) => closed.map_err(failed())?,
            Err(_) => {
                logger.finish(Duration::ZERO).await;
                return Err(failed()(io::Error::from(io::ErrorKind::TimedOut)));
            }
        }
        Ok((logger, stdout_writer.into(), stderr_writer.into()))
    }

    /// Waits until it has logged everything, but no longer than `limit`; then it is told to end.
    pub(super) async fn finish(self, limit: Duration) {
        if timeout(limit, self.end).await.is_err()
            && let Some(process) = self.process
            && let Err(error) = process.signal(Signal::TERM)
        {
            tracing::warn!("ending a logger: {}", whole(&error));
        }
    }
}

/// Waits until nobody has the other end any more, or something is written there.
async fn closed(pipe: PipeReader) -> io::Result<()> {
    let pipe = pollable(pipe.into())?;
    pipe.async_io(Interest::READABLE, |pipe| Ok(rustix::io::read(pipe, &mut [0; 1])?)).await?;
    Ok(())
}

/// The arguments in a URI's query: each name and its first value, sorted as containerd does it.
fn arguments(uri: &str) -> Vec<String> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let mut arguments = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        arguments.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    arguments.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_becomes_arguments() {
        assert_eq!(arguments("/l"), Vec::<String>::new());
        assert_eq!(arguments("/l?b=2&a=1%202&b=3"), ["a", "1 2", "b", "2"]);
        assert_eq!(arguments("/l?flag"), ["flag", ""]);
    }
}
