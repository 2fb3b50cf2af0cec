//! Jails, made and entered for real. They need root, on FreeBSD or on a Linux development host.

fn main() {}
