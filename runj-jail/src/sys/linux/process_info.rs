//! What /proc tells of a process.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};

use super::process::{self, is_gone, processes};
use crate::error::Error;
use crate::jid::Jid;
use crate::process::ProcessId;
use crate::process_info::ProcessInfo;

/// The processes of the jails, without zombies.
pub(crate) fn process_infos(jids: &BTreeSet<Jid>) -> Result<Vec<ProcessInfo>, Error> {
    let infos = processes(jids)?.into_iter().map(|process| process_info(process.pid()));
    // Those that have ended meanwhile are none.
    infos.filter_map(Result::transpose).collect()
}

/// What is told of the process of that pid; `None` when there is none or it is a zombie.
pub(crate) fn process_info(pid: i32) -> Result<Option<ProcessInfo>, Error> {
    let stat = process::Stat::of(pid)?.filter(|stat| !stat.zombie);
    let Some(start) = stat.map(|stat| stat.start) else { return Ok(None) };
    match read(pid, ProcessId::recorded(pid, start)) {
        Ok(info) => Ok(Some(info)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(Error::Emulation { what: format!("reading /proc/{pid}"), source: error }),
    }
}

fn read(pid: i32, id: ProcessId) -> io::Result<ProcessInfo> {
    let line = String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat"))?).into_owned();
    let uid = fs::metadata(format!("/proc/{pid}"))?.uid();
    let arguments = fs::read(format!("/proc/{pid}/cmdline"))?;
    parse(id, uid, &line, &arguments).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads a proc_pid_stat(5) and a proc_pid_cmdline(5).
fn parse(id: ProcessId, uid: u32, line: &str, arguments: &[u8]) -> Option<ProcessInfo> {
    let (before, fields) = line.rsplit_once(')')?;
    let name = before.split_once('(')?.1;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    // The third field of stat is the first one here.
    let field = |number: usize| fields.get(number - 3).copied();
    let number = |n: usize| field(n)?.parse::<u64>().ok();
    let variable = |variable, default| {
        let value = sysconf(variable).ok().flatten();
        value.and_then(|value| u64::try_from(value).ok()).filter(|v| *v > 0).unwrap_or(default)
    };
    let tick = 1_000_000_000 / variable(SysconfVar::CLK_TCK, 100);
    let time = |n| Some(Duration::from_nanos(number(n)? * tick));
    let arguments = arguments.strip_suffix(&[0]).unwrap_or(arguments);
    let words: Vec<_> = arguments.split(|&byte| byte == 0).map(String::from_utf8_lossy).collect();
    let command = words.join(" ");
    Some(ProcessInfo {
        id,
        parent: field(4)?.parse().ok()?,
        uid,
        command: if command.trim().is_empty() { format!("[{name}]") } else { command },
        stopped: matches!(field(3)?, "T" | "t"),
        threads: number(20)?,
        memory: number(24)? * variable(SysconfVar::PAGE_SIZE, 4096),
        virtual_memory: number(23)?,
        user_time: time(14)?,
        system_time: time(15)?,
        children_user_time: time(16)?,
        children_system_time: time(17)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart() {
        let line = "7 (a) b) T 3 7 7 0 -1 0 0 0 0 0 100 200 300 400 20 0 5 0 12345 8192 2 0\n";
        let info = parse(ProcessId::recorded(7, 12345), 9, line, b"sh\0-c\0true\0").unwrap();
        assert_eq!((info.parent, info.uid, info.stopped, info.threads), (3, 9, true, 5));
        assert_eq!((info.memory, info.virtual_memory), (8192, 8192));
        assert_eq!(info.command, "sh -c true");
        assert_eq!(info.user_time + info.system_time, Duration::from_secs(3));
        assert_eq!(info.children_user_time + info.children_system_time, Duration::from_secs(7));
        let kernel = parse(ProcessId::recorded(7, 12345), 0, line, b"").unwrap();
        assert_eq!(kernel.command, "[a) b]");
    }
}
