//! FreeBSD: the jail system calls.

mod cpus;
mod limits;
mod process;

use std::ffi::{CStr, c_int, c_uint};
use std::os::fd::RawFd;
use std::ptr;

use nix::errno::Errno;

pub(crate) use cpus::{cpus, set_cpus};
pub(crate) use limits::{accounted, add_rule, remove_rule, rules};
pub(crate) use process::{
    process_info, process_infos, process_signal, process_start, process_states, process_wait,
    processes,
};

use super::{Forked, SetMode};
use crate::encode::{RawParam, Wanted};
use crate::error::Error;
use crate::jid::Jid;

/// Room for the kernel's own text; libjail(3) uses the same (`JAIL_ERRMSGLEN`).
const ERRMSG_LEN: usize = 1024;

const ERRMSG: &CStr = c"errmsg";

/// `jail_set(2)`.
pub(crate) fn jail_set(params: &[RawParam], mode: SetMode) -> Result<Jid, Error> {
    let flags = match mode {
        SetMode::Create => libc::JAIL_CREATE,
        SetMode::Update => libc::JAIL_UPDATE,
    };
    let mut message = [0u8; ERRMSG_LEN];
    let mut iov = Vec::with_capacity(2 * params.len() + 2);
    for param in params {
        iov.push(name_iov(&param.name));
        // The kernel only reads it; a flag has no value.
        iov.push(libc::iovec {
            iov_base: if param.value.is_empty() {
                ptr::null_mut()
            } else {
                param.value.as_ptr().cast_mut().cast()
            },
            iov_len: param.value.len(),
        });
    }
    iov.push(name_iov(ERRMSG));
    iov.push(buffer_iov(&mut message));
    // SAFETY: every iovec describes memory that outlives the call and that the kernel reads only,
    // but for `message`, which is exclusively borrowed and as long as its iovec says.
    let result = unsafe { libc::jail_set(iov.as_mut_ptr(), count(&iov), flags) };
    jid_of(result, "jail_set(2)", &message)
}

/// `jail_get(2)`: the jid of the jail that `key` names, and the values of `wanted`.
pub(crate) fn jail_get(
    key: &RawParam,
    wanted: &[Wanted],
    dying: bool,
) -> Result<(Jid, Vec<Vec<u8>>), Error> {
    // The sizes of some values are only known to the kernel, and may change between the call that
    // asks for them and the one that fetches them, which then says EINVAL.
    const ATTEMPTS: usize = 8;
    let flags = if dying { libc::JAIL_DYING } else { 0 };
    let mut rooms: Vec<_> = wanted.iter().map(|parameter| parameter.room).collect();
    let mut attempt = 0;
    loop {
        attempt += 1;
        if rooms.contains(&0) {
            let mut values = vec![Vec::new(); wanted.len()];
            rooms = get(key, wanted, &mut values, flags)?.1;
        }
        let mut values: Vec<_> = rooms.iter().map(|&room| vec![0; room]).collect();
        match get(key, wanted, &mut values, flags) {
            Ok((jid, lengths)) => {
                for (value, length) in values.iter_mut().zip(lengths) {
                    value.truncate(length);
                }
                return Ok((jid, values));
            }
            Err(Error::Refused { errno: Errno::EINVAL, .. }) if attempt < ATTEMPTS => {
                rooms.fill(0);
            }
            Err(error) => return Err(error),
        }
    }
}

/// One `jail_get(2)` into `values`; an empty one asks for the value's length.
fn get(
    key: &RawParam,
    wanted: &[Wanted],
    values: &mut [Vec<u8>],
    flags: c_int,
) -> Result<(Jid, Vec<usize>), Error> {
    let mut message = [0u8; ERRMSG_LEN];
    let mut key_value = key.value.clone();
    let mut iov = vec![name_iov(&key.name), buffer_iov(&mut key_value)];
    for (parameter, value) in wanted.iter().zip(values) {
        iov.push(name_iov(&parameter.name));
        iov.push(buffer_iov(value));
    }
    iov.push(name_iov(ERRMSG));
    iov.push(buffer_iov(&mut message));
    // SAFETY: every iovec describes memory that outlives the call; those that the kernel writes
    // to are exclusively borrowed and as long as their iovecs say.
    let result = unsafe { libc::jail_get(iov.as_mut_ptr(), count(&iov), flags) };
    let jid = jid_of(result, "jail_get(2)", &message)?;
    let lengths = iov.iter().skip(3).step_by(2).take(wanted.len()).map(|iov| iov.iov_len);
    Ok((jid, lengths.collect()))
}

fn name_iov(name: &CStr) -> libc::iovec {
    libc::iovec {
        iov_base: name.as_ptr().cast_mut().cast(),
        iov_len: name.to_bytes_with_nul().len(),
    }
}

fn buffer_iov(buffer: &mut [u8]) -> libc::iovec {
    libc::iovec {
        iov_base: if buffer.is_empty() { ptr::null_mut() } else { buffer.as_mut_ptr().cast() },
        iov_len: buffer.len(),
    }
}

fn count(iov: &[libc::iovec]) -> c_uint {
    // Parameters come from a configuration of bounded size; should there ever be more than the
    // kernel can count, it answers EINVAL.
    c_uint::try_from(iov.len()).unwrap_or(c_uint::MAX)
}

fn jid_of(result: c_int, call: &'static str, message: &[u8]) -> Result<Jid, Error> {
    Jid::try_from(result).map_err(|_| {
        let errno = Errno::last();
        let text = message.split(|&b| b == 0).next().unwrap_or_default();
        let message = (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned());
        Error::Refused { call, errno, message }
    })
}

/// `jail_remove(2)`.
pub(crate) fn jail_remove(jid: Jid) -> Result<(), Error> {
    // SAFETY: the call takes no pointer.
    Errno::result(unsafe { libc::jail_remove(jid.as_raw()) })
        .map(drop)
        .map_err(|errno| Error::Refused { call: "jail_remove(2)", errno, message: None })
}

/// See [`super::Attachment`].
#[derive(Debug)]
pub(super) struct Attachment {
    jid: Jid,
}

impl Attachment {
    pub(super) fn new(jid: Jid) -> Result<Self, Error> {
        Ok(Self { jid })
    }

    pub(super) unsafe fn fork(&self) -> Result<Forked, Error> {
        // SAFETY: the caller keeps to fork's rules.
        match Errno::result(unsafe { libc::fork() }).map_err(Error::system("fork(2)"))? {
            0 => Ok(Forked::Child),
            pid => Ok(Forked::Parent(pid)),
        }
    }

    pub(super) fn descriptors(&self) -> &[RawFd] {
        &[]
    }

    pub(super) fn enter(&self) -> Result<(), Errno> {
        let mut disable = libc::PROC_TRACE_CTL_DISABLE;
        // SAFETY: PROC_TRACE_CTL reads an int. Process 0 of P_PID is the caller.
        Errno::result(unsafe {
            libc::procctl(libc::P_PID, 0, libc::PROC_TRACE_CTL, (&raw mut disable).cast())
        })?;
        // SAFETY: the call takes no pointer.
        Errno::result(unsafe { libc::jail_attach(self.jid.as_raw()) }).map(drop)
    }
}
