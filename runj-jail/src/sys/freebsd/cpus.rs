//! cpuset(2): the processors of a jail.

use std::ptr;

use nix::errno::Errno;

use crate::cpus::CpuSet;
use crate::error::Error;
use crate::jid::Jid;

/// `cpuset_getaffinity(2)`.
pub(crate) fn cpus(jid: Jid) -> Result<CpuSet, Error> {
    let refused = Error::system("cpuset_getaffinity(2)");
    let mut mask = vec![0u8; mask_size()?];
    let id = libc::id_t::from(jid.as_raw());
    // SAFETY: the buffer is as long as said, and the kernel writes no more.
    let result = unsafe {
        libc::cpuset_getaffinity(
            libc::CPU_LEVEL_WHICH,
            libc::CPU_WHICH_JAIL,
            id,
            mask.len(),
            mask.as_mut_ptr().cast(),
        )
    };
    Errno::result(result).map_err(refused)?;
    let set = |(number, byte): (u32, &u8)| {
        let byte = *byte;
        (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| number * 8 + bit)
    };
    CpuSet::new((0..).zip(&mask).flat_map(set))
        .ok_or(Error::System { call: "cpuset_getaffinity(2)", errno: Errno::ERANGE })
}

/// `cpuset_setaffinity(2)`.
pub(crate) fn set_cpus(jid: Jid, cpus: &CpuSet) -> Result<(), Error> {
    let refused = Error::system("cpuset_setaffinity(2)");
    let mut mask = vec![0u8; mask_size()?];
    for cpu in cpus.iter() {
        let byte = usize::try_from(cpu / 8).ok().and_then(|index| mask.get_mut(index));
        // As the kernel says it of a processor that is not there.
        *byte.ok_or(Error::System { call: "cpuset_setaffinity(2)", errno: Errno::EINVAL })? |=
            1 << (cpu % 8);
    }
    let id = libc::id_t::from(jid.as_raw());
    // SAFETY: the buffer is as long as said, and the kernel only reads it.
    let result = unsafe {
        libc::cpuset_setaffinity(
            libc::CPU_LEVEL_WHICH,
            libc::CPU_WHICH_JAIL,
            id,
            mask.len(),
            mask.as_ptr().cast(),
        )
    };
    Errno::result(result).map(drop).map_err(refused)
}

/// How many bytes the kernel has for a set (`kern.sched.cpusetsize`); the version that libc was
/// written for may have had fewer.
fn mask_size() -> Result<usize, Error> {
    let mut size = 0i32;
    let mut length = size_of::<i32>();
    // SAFETY: the buffer is as long as `length` says.
    let result = unsafe {
        libc::sysctlbyname(
            c"kern.sched.cpusetsize".as_ptr(),
            (&raw mut size).cast(),
            &mut length,
            ptr::null(),
            0,
        )
    };
    Errno::result(result).map_err(Error::system("sysctl(kern.sched.cpusetsize)"))?;
    usize::try_from(size)
        .map_err(|_| Error::System { call: "sysctl(kern.sched.cpusetsize)", errno: Errno::ERANGE })
}
