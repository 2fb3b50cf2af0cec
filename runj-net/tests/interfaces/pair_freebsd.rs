//! epair(4) by ioctl(2).

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::mem;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

nix::ioctl_write_ptr!(siocifdestroy, b'i', 121, libc::ifreq);
nix::ioctl_readwrite!(siocifcreate2, b'i', 124, libc::ifreq);

/// Creates a pair.
pub(crate) fn create() -> (String, String) {
    let mut request = request("epair");
    // SAFETY: the request takes this structure, which is exclusively borrowed.
    unsafe { siocifcreate2(control().as_raw_fd(), &raw mut request) }.unwrap();
    // SAFETY: the kernel ends the name with a NUL.
    let a = unsafe { CStr::from_ptr(request.ifr_name.as_ptr()) }.to_str().unwrap().to_owned();
    let b = format!("{}b", a.strip_suffix('a').unwrap());
    (a, b)
}

/// Destroys the pair that an interface is of.
pub(crate) fn destroy(interface: &str) {
    let request = request(interface);
    // SAFETY: the request takes this structure, and only reads it.
    let _ = unsafe { siocifdestroy(control().as_raw_fd(), &raw const request) };
}

fn request(interface: &str) -> libc::ifreq {
    // SAFETY: an ifreq is numbers and pointers, which may all be zero.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = c_char::from_ne_bytes([from]);
    }
    request
}

fn control() -> OwnedFd {
    socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).unwrap()
}
