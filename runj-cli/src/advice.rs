//! What to do next after an error, where there is one clear step.

use std::io;

use anyhow::Error;
use runj_runtime::{Error as Refusal, Runtime, Status};

use crate::flags::Flags;

/// The next step for whoever typed the command, a line without the line end.
pub(crate) fn on(error: &Error, flags: &Flags) -> Option<String> {
    let runj = || match flags.root.to_str() {
        Some(Runtime::DEFAULT_ROOT) | None => "runj".to_owned(),
        Some(root) => format!("runj --root {root}"),
    };
    Some(match error.downcast_ref()? {
        Refusal::NoSuchContainer(_) => format!("{} list: the containers that there are", runj()),
        Refusal::Exists(id) => format!("{} delete {id}: takes the old one away", runj()),
        Refusal::Alive { id, status: Status::Running } => {
            format!("{0} kill {id}, or {0} delete --force {id}: ends it first", runj())
        }
        Refusal::Alive { id, .. } => {
            format!("{} delete --force {id}: ends it first", runj())
        }
        Refusal::WrongStatus { verb: "start", id, status: Status::Stopped, .. } => {
            format!("{} delete {id}, then create it anew: a container starts once", runj())
        }
        Refusal::Spec(runj_spec::Error::Read { path, source })
            if source.kind() == io::ErrorKind::NotFound && path.ends_with("config.json") =>
        {
            let bundle = path.parent().unwrap_or(path).display();
            format!("runj spec --bundle {bundle}: writes one to start from")
        }
        Refusal::Several(_) => "runj config check BUNDLE: the same as a list".to_owned(),
        Refusal::Leftovers { id, .. } => {
            format!("{} delete --force {id}: tries again", runj())
        }
        Refusal::BadState { path, .. } => {
            let directory = path.parent().unwrap_or(path).display();
            format!(
                "put the file back; or end the jail (jail -r), unmount what is in its root, and \
                 remove {directory}"
            )
        }
        Refusal::Mount { .. } | Refusal::Jail(_) => {
            "runj doctor: what this host can do, and what it lacks".to_owned()
        }
        _ => return None,
    })
}
