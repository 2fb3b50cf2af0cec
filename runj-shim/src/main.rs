//! The program `containerd-shim-runj-v1`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runj_shim::main()
}
