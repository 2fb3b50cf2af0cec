//! Brings the network of a bundle up around an empty jail, shows what was done, and takes it down.
//!
//! ```text
//! up_and_down BUNDLE
//! ```
//!
//! `BUNDLE` is a directory with a config.json, and perhaps a runj.ext.json. It takes root.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use runj_jail::{Jail, Params};
use runj_net::{Deed, Plan};
use runj_spec::Bundle;

fn main() -> Result<(), Box<dyn Error>> {
    let bundle = std::env::args_os().nth(1).ok_or("usage: up_and_down BUNDLE")?;
    let container = Bundle::load(Path::new(&bundle))?.container()?;
    let plan = runj_net::plan(&container.jail)?;
    println!("parameters: {:?}", plan.params());

    let mut done = Vec::new();
    let mut jail = None;
    let up = up(&plan, &mut done, &mut jail);
    for deed in done.iter().rev() {
        deed.undo(jail)?;
        println!("undone: {}", serde_json::to_string(deed)?);
    }
    if let Some(jail) = jail {
        jail.remove()?;
        jail.wait_gone(Duration::from_secs(10))?;
        println!("removed jail {}", jail.jid());
    }
    up
}

fn up(plan: &Plan, done: &mut Vec<Deed>, jail: &mut Option<Jail>) -> Result<(), Box<dyn Error>> {
    plan.prepare(done)?;
    let mut params = Params::new()
        .string("name", format!("up_and_down{}", std::process::id()))
        .string("path", "/")
        .flag("persist", true);
    params.extend(plan.params().clone());
    let created = Jail::create(&params).map_err(|error| match plan.explain(&error) {
        Some(explanation) => Box::<dyn Error>::from(explanation),
        None => error.into(),
    })?;
    *jail = Some(created);
    println!("created jail {}", created.jid());
    plan.furnish(created, done)?;
    for deed in done {
        println!("done: {}", serde_json::to_string(deed)?);
    }
    Ok(())
}
