//! What it takes to read a bundle's documents and to merge them.

#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::expect_used, reason = "the documents are right")]

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use runj_spec::{Bundle, Config, Extension};
use serde_json::{Value, json};

/// A bundle's documents: config.json and runj.ext.json.
struct Documents {
    name: &'static str,
    config: String,
    extension: String,
}

/// What a person writes.
fn small() -> Documents {
    let config = json!({
        "ociVersion": "1.3.0",
        "root": { "path": "rootfs" },
        "process": { "args": ["/bin/sh"], "cwd": "/", "env": ["PATH=/bin"] },
        "freebsd": { "jail": { "ip4": "inherit" } },
    });
    let extension = json!({ "network": { "ipv6": { "mode": "inherit" } } });
    Documents { name: "small", config: config.to_string(), extension: extension.to_string() }
}

/// What an engine writes for a container with a lot of everything.
fn large() -> Documents {
    let list = |count: usize, element: &dyn Fn(usize) -> Value| -> Value {
        (0..count).map(element).collect()
    };
    let map = |count: usize, value: &dyn Fn(usize) -> Value| -> Value {
        (0..count).map(|number| (format!("org.example.key{number}"), value(number))).collect()
    };
    let config = json!({
        "ociVersion": "1.3.0",
        "root": { "path": "rootfs", "readonly": true },
        "process": {
            "args": ["/usr/local/bin/program", "--flag"],
            "cwd": "/",
            "env": list(100, &|number| json!(format!("VARIABLE_{number}=some value of it"))),
            "capabilities": { "bounding": list(40, &|number| json!(format!("CAP_{number}"))) },
        },
        "mounts": list(50, &|number| json!({
            "destination": format!("/data/{number}"),
            "type": "nullfs",
            "source": format!("/var/db/containers/volumes/{number}/_data"),
            "options": ["rbind", "ro", "nosuid"],
        })),
        "annotations": map(50, &|number| json!(format!("a value, number {number}"))),
        "linux": {
            "seccomp": { "syscalls": list(100, &|number| json!({
                "names": [format!("call{number}")], "action": "SCMP_ACT_ALLOW",
            })) },
        },
        "freebsd": { "jail": {
            "ip4Addr": list(200, &|number| json!(format!("10.0.0.{number}"))),
            "allow": { "rawSockets": true, "chflags": true },
        } },
    });
    let extension = json!({ "network": {
        "ipv4": { "addr": list(200, &|number| json!(format!("10.0.1.{number}"))) },
        "ipv6": { "addr": list(200, &|number| json!(format!("2001:db8::{number:x}"))) },
    } });
    Documents { name: "large", config: config.to_string(), extension: extension.to_string() }
}

impl Documents {
    fn parse(&self) -> Bundle {
        let config = Config::parse(self.config.as_bytes(), Config::FILE_NAME);
        let extension = Extension::parse(self.extension.as_bytes(), Extension::FILE_NAME);
        Bundle {
            dir: PathBuf::from("/bundle"),
            config: config.expect("it is right"),
            extension: Some(extension.expect("it is right")),
        }
    }
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for documents in [small(), large()] {
        let bytes = documents.config.len() + documents.extension.len();
        group.throughput(Throughput::Bytes(u64::try_from(bytes).unwrap_or_default()));
        group.bench_with_input(BenchmarkId::from_parameter(documents.name), &documents, |b, it| {
            b.iter(|| black_box(it).parse());
        });
    }
    group.finish();
}

fn merge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge");
    for documents in [small(), large()] {
        let bundle = documents.parse();
        group.bench_with_input(BenchmarkId::from_parameter(documents.name), &bundle, |b, it| {
            b.iter(|| black_box(it).container());
        });
    }
    group.finish();
}

criterion_group!(benches, parse, merge);
criterion_main!(benches);
