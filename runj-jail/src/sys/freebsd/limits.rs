//! rctl(4) and racct: rules, and what is accounted (sys/rctl.h; libc has no such functions).

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int};
use std::ptr;

use nix::errno::Errno;

use crate::error::Error;
use crate::resource::Resource;
use crate::rule::Rule;
use crate::usage;

unsafe extern "C" {
    fn rctl_add_rule(
        inbuf: *const c_char,
        inbuflen: usize,
        outbuf: *mut c_char,
        outbuflen: usize,
    ) -> c_int;
    fn rctl_remove_rule(
        inbuf: *const c_char,
        inbuflen: usize,
        outbuf: *mut c_char,
        outbuflen: usize,
    ) -> c_int;
    fn rctl_get_rules(
        inbuf: *const c_char,
        inbuflen: usize,
        outbuf: *mut c_char,
        outbuflen: usize,
    ) -> c_int;
    fn rctl_get_racct(
        inbuf: *const c_char,
        inbuflen: usize,
        outbuf: *mut c_char,
        outbuflen: usize,
    ) -> c_int;
}

type Call = unsafe extern "C" fn(*const c_char, usize, *mut c_char, usize) -> c_int;

/// Fails where the kernel does not account (`kern.racct.enable`, racct(4)).
fn check_accounting() -> Result<(), Error> {
    let mut enabled = 0u8;
    let mut length = size_of::<u8>();
    // A bool of one byte (`racct_enable` in `kern_racct.c`).
    // SAFETY: the buffer is as long as `length` says.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.racct.enable".as_ptr(),
            (&raw mut enabled).cast(),
            &mut length,
            ptr::null(),
            0,
        )
    };
    match Errno::result(result) {
        Ok(_) if enabled != 0 => Ok(()),
        Ok(_) => Err(Error::AccountingOff { reason: "kern.racct.enable is 0" }),
        Err(Errno::ENOENT) => Err(Error::AccountingOff {
            reason: "there is no kern.racct.enable, so the kernel is built without the options \
                     RACCT and RCTL",
        }),
        Err(errno) => Err(Error::System { call: "sysctl(kern.racct.enable)", errno }),
    }
}

/// `rctl_add_rule(2)`.
pub(crate) fn add_rule(jail: &str, rule: &Rule) -> Result<(), Error> {
    match told(rctl_add_rule, &filter(jail, rule), &mut []) {
        Ok(()) => Ok(()),
        Err(Errno::ENOSYS) => {
            check_accounting().and(Err(refused("rctl_add_rule(2)", Errno::ENOSYS)))
        }
        Err(errno) => Err(refused("rctl_add_rule(2)", errno)),
    }
}

/// `rctl_remove_rule(2)`; `false` when there is no such rule.
pub(crate) fn remove_rule(jail: &str, rule: &Rule) -> Result<bool, Error> {
    match told(rctl_remove_rule, &filter(jail, rule), &mut []) {
        Ok(()) => Ok(true),
        // Without accounting there are no rules.
        Err(Errno::ESRCH | Errno::ENOSYS) => Ok(false),
        Err(errno) => Err(refused("rctl_remove_rule(2)", errno)),
    }
}

/// `rctl_get_rules(2)`.
pub(crate) fn rules(jail: &str) -> Result<Vec<Rule>, Error> {
    let Some(text) = asked("rctl_get_rules(2)", rctl_get_rules, &format!("jail:{jail}:"))? else {
        return Ok(Vec::new());
    };
    let subject = format!("jail:{jail}:");
    // Rules of a later kernel that cannot be understood are none of ours.
    let rule = |text: &str| text.strip_prefix(&subject)?.parse().ok();
    Ok(text.split(',').filter_map(rule).collect())
}

/// `rctl_get_racct(2)`; nothing where the kernel does not account, or cannot say the name.
pub(crate) fn accounted(jail: &str) -> Result<BTreeMap<Resource, u64>, Error> {
    if jail.contains(':') {
        return Ok(BTreeMap::new());
    }
    let text = asked("rctl_get_racct(2)", rctl_get_racct, &format!("jail:{jail}:"))?;
    Ok(text.map(|text| usage::accounted(&text)).unwrap_or_default())
}

/// The rule and no other: without what it is per, the kernel takes the text for all of them.
fn filter(jail: &str, rule: &Rule) -> String {
    let (resource, action, amount, per) =
        (rule.resource(), rule.action(), rule.amount(), rule.per());
    format!("jail:{jail}:{resource}:{action}={amount}/{per}")
}

/// What a call answers; `None` where the kernel does not account.
fn asked(name: &'static str, call: Call, filter: &str) -> Result<Option<String>, Error> {
    /// `kern.racct.rctl.maxbufsize`, by default.
    const MOST: usize = 16 << 20;
    let mut buffer = vec![0; 4 << 10];
    loop {
        match told(call, filter, &mut buffer) {
            Ok(()) => break,
            Err(Errno::ENOSYS) => return Ok(None),
            // Too small.
            Err(Errno::ERANGE) if buffer.len() < MOST => buffer = vec![0; buffer.len() * 4],
            Err(errno) => return Err(refused(name, errno)),
        }
    }
    let text = buffer.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(Some(String::from_utf8_lossy(text).into_owned()))
}

fn told(call: Call, input: &str, output: &mut [u8]) -> Result<(), Errno> {
    let input = CString::new(input).map_err(|_| Errno::EINVAL)?;
    let length = input.as_bytes_with_nul().len();
    let buffer =
        if output.is_empty() { ptr::null_mut() } else { output.as_mut_ptr().cast::<c_char>() };
    // SAFETY: both buffers are as long as said and live for the call; the kernel reads the one
    // and writes the other.
    Errno::result(unsafe { call(input.as_ptr(), length, buffer, output.len()) }).map(drop)
}

fn refused(call: &'static str, errno: Errno) -> Error {
    Error::System { call, errno }
}
