//! A process of a container: from the `process` object to something that can be forked.

use std::ffi::CString;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::stat::Mode;
use runj_faults::{Init as Faults, Point, at};
use runj_jail::{Attachment, Jail, Kind, ProcessId, Signal, Value};
use runj_spec::{Hook, Process};

use crate::console::Console;
use crate::error::{Error, ProcessError};
use crate::home;
use crate::hooks;
use crate::input::Input;
use crate::sys::{self, Entry, Failure, Gate, Report, Stage};

/// Where programs are looked for when the environment has no PATH (`_PATH_DEFPATH`, paths.h).
const DEFAULT_PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin";

/// Checks all of `process` that can be checked without doing anything.
pub(crate) fn check(process: &Process, place: &str) -> Result<(), Error> {
    limits(process, place).map(drop)
}

/// Makes everything ready that the new process needs, so that it has nothing left to allocate. The
/// jail's root is at `root`.
pub(crate) fn entry(
    process: &Process,
    place: &str,
    jail: Jail,
    root: &Path,
    gate: Gate,
    console: &Console,
    preserve_fds: u32,
) -> Result<Entry, Error> {
    let attachment: Attachment = jail.attachment()?;
    // A kernel that does not know the parameter has a super-user in every jail.
    let super_user = jail.get(&[("allow.suser", Kind::Flag)]).unwrap_or_default();
    Ok(Entry {
        attachment,
        gate,
        terminal: match console {
            Console::None => None,
            Console::Terminal(pty) => {
                let slave = pty.slave.try_clone().map_err(Error::io("the terminal"))?;
                Some((slave, c_string(&pty.name, place, "terminal")?))
            }
        },
        preserve_fds,
        programs: programs(process)?,
        args: c_strings(&process.args, place, "args")?,
        env: environment(process, place, root)?,
        cwd: c_string(&process.cwd, place, "cwd")?,
        uid: process.user.uid.into(),
        gid: process.user.gid.into(),
        groups: sys::group_list(process.user.gid, &process.user.additional_gids),
        has_super_user: !super_user.contains(&Value::Flag(false)),
        umask: process.user.umask.map(file_mode),
        limits: limits(process, place)?,
        no_new_privileges: process.no_new_privileges,
        start_hooks: None,
        faults: Faults::prepare(),
    })
}

/// `process.env`, and HOME.
fn environment(process: &Process, place: &str, root: &Path) -> Result<Vec<CString>, Error> {
    let others = process.env.iter().filter(|entry| !home::is_home(entry));
    let others = others.map(|entry| c_string(entry, place, "env"));
    let home = match home::given(process) {
        Some(entry) => c_string(entry, place, "env"),
        None => Ok(home::of_user(root, process.user.uid)),
    };
    others.chain([home]).collect()
}

/// The files to try for the program, in order, as execvp(3) does.
fn programs(process: &Process) -> Result<Vec<CString>, Error> {
    let Some(name) = process.args.first() else { return Ok(Vec::new()) };
    if name.contains('/') {
        return Ok(vec![c_string(name, "process", "args")?]);
    }
    let path = process.env.iter().find_map(|entry| entry.strip_prefix("PATH="));
    path.unwrap_or(DEFAULT_PATH)
        .split(':')
        .map(|directory| match directory {
            "" => format!("./{name}"),
            directory => format!("{directory}/{name}"),
        })
        .map(|file| c_string(&file, "process", "args"))
        .collect()
}

fn limits(process: &Process, place: &str) -> Result<Vec<sys::Limit>, Error> {
    let mut limits: Vec<sys::Limit> = Vec::with_capacity(process.rlimits.len());
    for (index, given) in process.rlimits.iter().enumerate() {
        let unusable = |reason| Error::Unusable {
            place: format!("{place}.rlimits[{index}].type"),
            value: format!("{:?}", given.typ),
            reason,
        };
        let limit = sys::limit(&given.typ, given.soft, given.hard).ok_or_else(|| {
            unusable(format!("expected one of {}", sys::limit_names().join(", ")))
        })?;
        if let Some(other) = limits.iter().position(|other| other.is_of_same_resource(&limit)) {
            return Err(unusable(format!("rlimits[{other}] is another name for the same")));
        }
        limits.push(limit);
    }
    Ok(limits)
}

fn c_strings(texts: &[String], place: &str, property: &str) -> Result<Vec<CString>, Error> {
    texts.iter().map(|text| c_string(text, place, property)).collect()
}

fn c_string(text: &str, place: &str, property: &str) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::Unusable {
        place: format!("{place}.{property}"),
        value: format!("{text:?}"),
        reason: "it contains a NUL byte".into(),
    })
}

/// How long a new process may take to become its program. On a host that starts dozens at once one
/// of them may have to wait for a processor: longer than ten seconds was seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// As [`report`], and what that means.
pub(crate) fn outcome(
    line: UnixStream,
    process: &Process,
    id: Option<ProcessId>,
) -> Result<(), Error> {
    understood(&report(line, id, &[])?, process, &[])
}

/// Reads what a new process, which is `id`, has to say until it became its program, or is ready to.
/// Before that it runs `hooks`.
pub(crate) fn report(
    line: UnixStream,
    id: Option<ProcessId>,
    hooks: &[Hook],
) -> Result<Report, Error> {
    let waiting = || Error::io("waiting for the container's process");
    at(Point::Report)?;
    // A hook without a limit may take for ever.
    let patience = hooks.iter().try_fold(PATIENCE, |patience, hook| {
        Some(patience + Duration::from_secs(hook.timeout?.get().into()))
    });
    line.set_read_timeout(patience).map_err(waiting())?;
    let mut bytes = Vec::new();
    if let Err(error) = line.take(Report::MOST_BYTES).read_to_end(&mut bytes) {
        match error.kind() {
            std::io::ErrorKind::WouldBlock => {}
            // It ended, or took another's connection, before it saw ours.
            std::io::ErrorKind::ConnectionReset => return Err(ProcessError::Died.into()),
            _ => return Err(waiting()(error)),
        }
        // Others in the container can stop it once it has entered.
        if let Some(id) = id {
            id.signal(Signal::KILL)?;
        }
        return Err(ProcessError::Stuck.into());
    }
    Ok(Report::parse(&bytes))
}

/// What a report means to whoever waited for it.
pub(crate) fn understood(report: &Report, process: &Process, hooks: &[Hook]) -> Result<(), Error> {
    match report {
        Report::Ready => Ok(()),
        Report::Died => Err(ProcessError::Died.into()),
        Report::Failed(failure) => Err(explain(*failure, process).into()),
        Report::HookFailed(failure, text) => Err(hooks::start_error(*failure, text, hooks)),
    }
}

/// Says in the configuration's words what the new process could not do.
fn explain(failure: Failure, process: &Process) -> ProcessError {
    let Failure { stage, errno, index } = failure;
    let program = process.args.first().cloned().unwrap_or_default();
    let user = &process.user;
    let setup = |what, value| ProcessError::Setup { what, value, errno };
    match stage {
        Stage::NotFound => ProcessError::NotFound(program),
        Stage::Exec => ProcessError::Exec { program, errno },
        Stage::Cwd => setup("cwd", format!("{:?}", process.cwd)),
        Stage::Groups => setup("user.additionalGids", format!("{:?}", user.additional_gids)),
        Stage::Gid => setup("user.gid", user.gid.to_string()),
        Stage::Uid => setup("user.uid", user.uid.to_string()),
        Stage::Limits => {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            let limit = process.rlimits.get(index).map_or_else(String::new, |limit| {
                format!("{}, soft {}, hard {},", limit.typ, limit.soft, limit.hard)
            });
            setup("rlimits", limit)
        }
        Stage::NoNewPrivileges => setup("noNewPrivileges", "true".into()),
        Stage::Terminal => setup("terminal", "true".into()),
        Stage::Session => ProcessError::System { what: "setsid(2)", errno },
        Stage::Start => ProcessError::System { what: "waiting for start", errno },
        // By procctl(2) alone, and only then.
        Stage::Enter if errno == Errno::EBUSY => ProcessError::Traced,
        Stage::Enter => ProcessError::System { what: "entering the jail", errno },
    }
}

/// A mask as umask(2) takes it; runj-spec lets none through that has more than nine bits.
fn file_mode(mask: u32) -> Mode {
    libc::mode_t::try_from(mask).map_or(Mode::empty(), Mode::from_bits_truncate)
}

/// A connected pair: what the new process reports with, and what is read here.
pub(crate) fn report_pair() -> Result<(OwnedFd, UnixStream), Error> {
    let (theirs, ours) = UnixStream::pair().map_err(Error::io("socketpair(2)"))?;
    Ok((theirs.into(), ours))
}

/// Checks that the descriptors a process is to keep are open and none of them is a way out.
pub(crate) fn check_preserved(preserve_fds: u32) -> Result<(), Error> {
    // 3 and up; 0 to 2 are always kept and must not be directories either.
    for fd in 0..preserve_fds.saturating_add(3) {
        match sys::is_directory(fd) {
            Ok(false) => {}
            Err(Errno::EBADF) if fd < 3 => {}
            Ok(true) => {
                let reason = "it is a directory, through which the container could leave its root";
                return Err(unusable_descriptor(fd, reason));
            }
            Err(errno) => return Err(unusable_descriptor(fd, errno.desc())),
        }
    }
    Ok(())
}

fn unusable_descriptor(fd: u32, reason: &str) -> Error {
    let (value, reason) = (format!("descriptor {fd}"), reason.to_owned());
    if fd < 3 {
        Error::Unusable { place: "stdio".into(), value, reason }
    } else {
        Error::UnusableInput { input: Input::PreserveFds, value, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(args: &str, env: &str) -> Process {
        let text = format!(r#"{{"args":[{args}],"env":[{env}],"cwd":"/"}}"#);
        Process::parse(text.as_bytes(), "process.json").unwrap()
    }

    fn tried(args: &str, env: &str) -> Vec<String> {
        let programs = programs(&process(args, env)).unwrap();
        programs.into_iter().map(|file| file.into_string().unwrap()).collect()
    }

    #[test]
    fn programs_are_looked_for_as_execvp_does() {
        assert_eq!(tried(r#""/bin/sh""#, r#""PATH=/a""#), ["/bin/sh"]);
        assert_eq!(tried(r#""./sh""#, r#""PATH=/a""#), ["./sh"]);
        assert_eq!(tried(r#""sh""#, r#""PATH=/a::/b""#), ["/a/sh", "./sh", "/b/sh"]);
        assert_eq!(tried(r#""sh""#, "").len(), DEFAULT_PATH.split(':').count());
    }

    #[test]
    fn failures_read_as_engines_expect() {
        let process = process(r#""nope""#, "");
        let text = |stage, errno| explain(Failure::at(stage, errno), &process).to_string();
        assert_eq!(
            text(Stage::NotFound, Errno::ENOENT),
            r#"exec: "nope": executable file not found in $PATH"#
        );
        assert_eq!(text(Stage::Exec, Errno::EACCES), r#"exec: "nope": permission denied"#);
        assert!(text(Stage::Enter, Errno::EBUSY).starts_with("the container's process is traced"));
        assert!(text(Stage::Enter, Errno::EINVAL).contains("entering the jail"));
        assert!(text(Stage::Cwd, Errno::ENOENT).starts_with(r#"process.cwd: "/""#));
    }
}
