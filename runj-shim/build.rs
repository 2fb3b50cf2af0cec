//! Compiles the messages in `proto/` to Rust, without protoc.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use ttrpc_codegen::{Codegen, Customize, ProtobufCustomize};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let mut inputs = Vec::new();
    for entry in fs::read_dir("proto")? {
        inputs.push(entry?.path());
    }
    inputs.sort();
    Codegen::new()
        .inputs(&inputs)
        .include("proto")
        .out_dir(&out)
        .rust_protobuf()
        .rust_protobuf_customize(ProtobufCustomize::default().lite_runtime(true))
        .customize(Customize { async_all: true, ..Customize::default() })
        .run()?;
    fs::write(out.join("modules.rs"), modules(&inputs, &out))
}

/// Declares a module for each file that was generated. They cannot be included as they are, since
/// they begin with attributes of their own.
fn modules(inputs: &[PathBuf], out: &Path) -> String {
    let stems = inputs.iter().filter_map(|input| input.file_stem()?.to_str());
    stems
        .flat_map(|stem| [stem.to_owned(), format!("{stem}_ttrpc")])
        .map(|name| (out.join(format!("{name}.rs")), name))
        .filter(|(path, _)| path.exists())
        .map(|(path, name)| format!("#[path = {path:?}]\npub(crate) mod {name};\n"))
        .collect()
}
