//! What it takes to make bytes of a jail's parameters.
//!
//! The last one has a NUL byte in it, so each list is encoded and refused before a system call is
//! made: no jail comes of it, and it takes no root.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use runj_jail::{Jail, Jailsys, Params, Value};

/// What every container's jail has.
fn small() -> Params {
    Params::new()
        .string("name", "web-1")
        .string("path", "/var/db/containers/web-1/rootfs")
        .flag("persist", true)
        .int("devfs_ruleset", 4)
        .jailsys("ip4", Jailsys::Inherit)
        .jailsys("sysvshm", Jailsys::New)
        .flag("allow.mount.nullfs", false)
}

/// The same with many addresses.
fn large() -> Params {
    let mut params = small();
    let numbers = 0..250_u8;
    let ip4 = numbers.clone().map(|number| Ipv4Addr::new(10, 0, 0, number)).collect();
    let ip6 = numbers.map(|number| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()));
    params.push("ip4.addr", Value::Ip4(ip4));
    params.push("ip6.addr", Value::Ip6(ip6.collect()));
    params
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for (name, params) in [("small", small()), ("large", large())] {
        let params = params.string("host.hostname", "\0");
        group.bench_with_input(BenchmarkId::from_parameter(name), &params, |b, params| {
            b.iter(|| Jail::create(black_box(params)).is_err());
        });
    }
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
