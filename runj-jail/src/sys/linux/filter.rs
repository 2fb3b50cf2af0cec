//! What a jail does not allow, as seccomp filters (seccomp(2)).
//!
//! A filter answers all that it matches in one way, so there is one per answer. They are made
//! before a process enters and installed in it afterwards, which must not allocate.

use std::collections::BTreeMap;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use libc::{AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, SOCK_RAW, c_long};
use nix::errno::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

use super::prison::{Prison, Sysv};
use crate::error::Error;

/// The filters for the processes of one jail.
#[derive(Debug)]
pub(super) struct Filters {
    refusals: Vec<BpfProgram>,
    /// Asks the holder about addresses.
    addresses: Option<BpfProgram>,
}

/// System calls, each with the conditions under which it is matched: none means always, several
/// rules that one of them is enough.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

impl Filters {
    pub(super) fn of(prison: &Prison) -> Result<Self, Error> {
        let mut refusals = Vec::new();
        for (errno, rules) in [
            (Errno::EPROTONOSUPPORT, families(prison)),
            (Errno::EPERM, privileges(prison)),
            (Errno::ENOSYS, absent(prison)),
        ] {
            let rules = rules.map_err(|error| uncompiled(&error))?;
            if !rules.is_empty() {
                refusals
                    .push(compile(rules, SeccompAction::Errno((errno as i32).cast_unsigned()))?);
            }
        }
        refusals.extend(other_abi());
        let restricted = prison.ip4.restriction().is_some() || prison.ip6.restriction().is_some();
        let addresses = if restricted { Some(questions()?) } else { None };
        Ok(Self { refusals, addresses })
    }

    /// Whether the holder has to answer for addresses.
    pub(super) fn asks(&self) -> bool {
        self.addresses.is_some()
    }

    /// Installs the filters in this process. Gives the descriptor through which the holder has to
    /// answer, if there are questions. Async-signal-safe.
    pub(super) fn install(&self) -> Result<Option<OwnedFd>, Errno> {
        for program in &self.refusals {
            install(program, 0)?;
        }
        let Some(program) = &self.addresses else { return Ok(None) };
        let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        let fd = install(program, flags)?;
        let fd = RawFd::try_from(fd).map_err(|_| Errno::EBADF)?;
        // SAFETY: with that flag the call returns a new descriptor.
        Ok(Some(unsafe { OwnedFd::from_raw_fd(fd) }))
    }
}

/// The address families that a jail has not got (`prison_check_af`).
fn families(prison: &Prison) -> Result<Rules, seccompiler::BackendError> {
    let mut rules = Vec::new();
    if prison.vnet {
        // A network stack of its own is not restricted.
        return Ok(Rules::new());
    }
    if prison.ip4.is_none() {
        rules.push(SeccompRule::new(vec![domain(SeccompCmpOp::Eq, AF_INET)?])?);
    }
    if prison.ip6.is_none() {
        rules.push(SeccompRule::new(vec![domain(SeccompCmpOp::Eq, AF_INET6)?])?);
    }
    if !prison.allows("allow.socket_af") {
        // AF_NETLINK is what AF_ROUTE is there, and AF_PACKET what bpf(4) is.
        let known = [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET];
        let other: Result<_, _> =
            known.into_iter().map(|family| domain(SeccompCmpOp::Ne, family)).collect();
        rules.push(SeccompRule::new(other?)?);
    }
    let mut calls = Rules::new();
    if !rules.is_empty() {
        calls.insert(libc::SYS_socket, rules.clone());
        calls.insert(libc::SYS_socketpair, rules);
    }
    Ok(calls)
}

/// What root in a jail may not do (`prison_priv_check`).
fn privileges(prison: &Prison) -> Result<Rules, seccompiler::BackendError> {
    let mut rules = Rules::new();
    if !prison.allows("allow.raw_sockets") && !prison.vnet {
        let raw = |kind| {
            SeccompRule::new(vec![
                argument(1, SeccompCmpOp::MaskedEq(0xf), kind)?,
                domain(SeccompCmpOp::Ne, AF_UNIX)?,
                domain(SeccompCmpOp::Ne, AF_NETLINK)?,
            ])
        };
        // The obsolete way to AF_PACKET (packet(7)).
        const SOCK_PACKET: i32 = 10;
        let packet = SeccompRule::new(vec![domain(SeccompCmpOp::Eq, AF_PACKET)?])?;
        rules.insert(libc::SYS_socket, vec![raw(SOCK_RAW)?, raw(SOCK_PACKET)?, packet]);
    }
    let mut always = |calls: &[c_long]| {
        for &call in calls {
            rules.insert(call, Vec::new());
        }
    };
    always(&[
        libc::SYS_reboot,
        libc::SYS_kexec_load,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_acct,
        libc::SYS_pivot_root,
    ]);
    if !(prison.allows("allow.mount") && prison.enforce_statfs < 2) {
        always(&[
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_fsopen,
            libc::SYS_fsmount,
            libc::SYS_open_tree,
            libc::SYS_move_mount,
            libc::SYS_mount_setattr,
        ]);
    }
    if !prison.allows("allow.set_hostname") {
        always(&[libc::SYS_sethostname, libc::SYS_setdomainname]);
    }
    if !prison.allows("allow.mlock") {
        always(&[
            libc::SYS_mlock,
            libc::SYS_mlock2,
            libc::SYS_mlockall,
            libc::SYS_munlock,
            libc::SYS_munlockall,
        ]);
    }
    if !prison.allows("allow.read_msgbuf") {
        always(&[libc::SYS_syslog]);
    }
    if !prison.allows("allow.quotas") {
        always(&[libc::SYS_quotactl]);
    }
    Ok(rules)
}

/// What is not there at all.
fn absent(prison: &Prison) -> Result<Rules, seccompiler::BackendError> {
    let [msg, sem, shm] = prison.sysv;
    // It could make sockets past all other filters.
    let mut calls = vec![libc::SYS_io_uring_setup];
    if msg == Sysv::Disabled {
        calls.extend([libc::SYS_msgget, libc::SYS_msgctl, libc::SYS_msgsnd, libc::SYS_msgrcv]);
    }
    if sem == Sysv::Disabled {
        calls.extend([libc::SYS_semget, libc::SYS_semctl, libc::SYS_semop, libc::SYS_semtimedop]);
    }
    if shm == Sysv::Disabled {
        calls.extend([libc::SYS_shmget, libc::SYS_shmctl, libc::SYS_shmat, libc::SYS_shmdt]);
    }
    Ok(calls.into_iter().map(|call| (call, Vec::new())).collect())
}

/// The calls that name an address, or choose one.
fn questions() -> Result<BpfProgram, Error> {
    let mut rules: Rules = [
        libc::SYS_bind,
        libc::SYS_connect,
        libc::SYS_listen,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect();
    // Without an address it is send(2).
    let named = SeccompCondition::new(4, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|error| uncompiled(&error))?;
    rules.insert(libc::SYS_sendto, vec![named]);
    // seccompiler has no action for a listener; "trace" is the one that nothing else here uses.
    let mut program = compile(rules, SeccompAction::Trace(0))?;
    for instruction in &mut program {
        if u32::from(instruction.code) == libc::BPF_RET | libc::BPF_K
            && instruction.k == libc::SECCOMP_RET_TRACE
        {
            instruction.k = libc::SECCOMP_RET_USER_NOTIF;
        }
    }
    Ok(program)
}

fn domain(
    operator: SeccompCmpOp,
    family: i32,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    argument(0, operator, family)
}

fn argument(
    index: u8,
    operator: SeccompCmpOp,
    value: i32,
) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value.cast_unsigned().into())
}

fn compile(rules: Rules, answer: SeccompAction) -> Result<BpfProgram, Error> {
    let arch = if cfg!(target_arch = "aarch64") { TargetArch::aarch64 } else { TargetArch::x86_64 };
    // Calls of another architecture end the process: the filters do not know their numbers.
    SeccompFilter::new(rules, SeccompAction::Allow, answer, arch)
        .and_then(BpfProgram::try_from)
        .map_err(|error| uncompiled(&error))
}

fn uncompiled(error: &seccompiler::BackendError) -> Error {
    Error::Emulation {
        what: "making a seccomp filter".into(),
        source: std::io::Error::other(error.to_string()),
    }
}

/// Refuses the x32 calls of amd64 with `ENOSYS`. They are of the same architecture to seccomp,
/// but have other numbers.
fn other_abi() -> Option<BpfProgram> {
    const X32_SYSCALL_BIT: u32 = 0x4000_0000;
    let instruction = |code: u32, jt, jf, k| sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt,
        jf,
        k,
    };
    cfg!(target_arch = "x86_64").then(|| {
        vec![
            // seccomp_data begins with the number.
            instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
            instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32_SYSCALL_BIT),
            instruction(
                libc::BPF_RET | libc::BPF_K,
                0,
                0,
                libc::SECCOMP_RET_ERRNO | (Errno::ENOSYS as i32).cast_unsigned(),
            ),
            instruction(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
        ]
    })
}

/// `seccomp(2)`. Root needs no `no_new_privs` for it, which would disarm setuid programs.
fn install(program: &[sock_filter], flags: libc::c_ulong) -> Result<c_long, Errno> {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?,
        filter: program.as_ptr().cast_mut().cast(),
    };
    // SAFETY: `program` describes instructions that outlive the call and that the kernel only
    // reads; seccompiler's type is laid out as the kernel's.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    })
}
