//! What it takes to plan a jail's network.

#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::expect_used, reason = "the configurations are right")]

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use runj_spec::{Bundle, Config, Jail};
use serde_json::{Value, json};

/// The jail of a bundle with this `freebsd.jail`.
fn jail(freebsd_jail: &Value) -> Jail {
    let config = json!({ "ociVersion": "1.3.0", "freebsd": { "jail": freebsd_jail } });
    let config = Config::parse(config.to_string().as_bytes(), Config::FILE_NAME);
    let config = config.expect("it is right");
    let bundle = Bundle { dir: PathBuf::from("/bundle"), config, extension: None };
    bundle.container().expect("it is right").jail
}

fn plan(criterion: &mut Criterion) {
    let ip4: Vec<String> = (0..250).map(|number| format!("10.0.0.{number}/24")).collect();
    let ip6: Vec<String> = (0..250).map(|number| format!("2001:db8::{number:x}/64")).collect();
    let mut group = criterion.benchmark_group("plan");
    for (name, jail) in [
        ("inherit", jail(&json!({ "ip4": "inherit", "ip6": "inherit" }))),
        ("vnet", jail(&json!({ "vnet": "new", "vnetInterfaces": ["epair0b"] }))),
        ("addresses", jail(&json!({ "ip4Addr": ip4, "ip6Addr": ip6, "interface": "em0" }))),
    ] {
        group.bench_with_input(BenchmarkId::from_parameter(name), &jail, |b, jail| {
            b.iter(|| runj_net::plan(black_box(jail)));
        });
    }
    group.finish();
}

criterion_group!(benches, plan);
criterion_main!(benches);
