//! Addresses that more than one jail has.

use nix::errno::Errno;
use runj_jail::{Jailsys, Kind, Params, Value};
use serde_json::json;

use crate::ask::{
    Made, address, assert_explained, assert_refused, four, fresh_name, kernel, kernel_names,
    kernel_refuses, runj_explains, runj_sends, six,
};
use crate::cases;

cases![
    one_that_a_jail_of_several_has,
    one_of_several_that_a_jail_has,
    one_that_two_jails_have_alone,
    one_that_a_jail_in_an_own_stack_might_have,
    one_that_the_parent_does_not_have,
    one_of_several_that_the_parent_has,
    the_one_that_the_parent_has,
    a_child_that_inherits_has_the_parents,
];

const CLASH: &str = "IPv4 addresses clash";

fn one_that_a_jail_of_several_has() {
    let _several = kernel(four(&[address(1), address(2)])).unwrap();
    kernel_refuses(four(&[address(2)]), Errno::EADDRINUSE, Some(CLASH));
    let mut params = Params::new().jailsys("ip4", Jailsys::New);
    params.extend(four(&[address(2)]));
    let plan = runj_sends(&json!({ "ip4Addr": [address(2)] }), &params);
    runj_explains(&plan, "ip4Addr[0]");

    let _several = kernel(six(&["fd00::1", "fd00::2"])).unwrap();
    kernel_refuses(six(&["fd00::2"]), Errno::EADDRINUSE, Some("IPv6 addresses clash"));
}

fn one_of_several_that_a_jail_has() {
    let _one = kernel(four(&[address(1)])).unwrap();
    kernel_refuses(four(&[address(2), address(1)]), Errno::EADDRINUSE, Some(CLASH));
}

fn one_that_two_jails_have_alone() {
    let _one = kernel(four(&[address(1)])).unwrap();
    kernel(four(&[address(1)])).unwrap();
}

fn one_that_a_jail_in_an_own_stack_might_have() {
    let _own = kernel(Params::new().jailsys("vnet", Jailsys::New)).unwrap();
    kernel(four(&[address(1), address(2)])).unwrap();
}

/// A jail that has these, and may have children.
fn parent(with: Params) -> (String, Made) {
    let name = fresh_name();
    let made = kernel_names(&name, with.int("children.max", 5)).unwrap();
    (name, made)
}

fn one_that_the_parent_does_not_have() {
    let (name, _parent) = parent(four(&[address(1)]));
    let child = format!("{name}.child");
    assert_refused(kernel_names(&child, four(&[address(2)])), Errno::EPERM, None);
    let mut params = Params::new().jailsys("ip4", Jailsys::New);
    params.extend(four(&[address(2)]));
    let plan = runj_sends(&json!({ "parent": name, "ip4Addr": [address(2)] }), &params);
    let error = kernel_names(&child, params).unwrap_err();
    assert_explained(&plan, &error, "ip4Addr[0]");
}

/// A child may not restrict itself to some of its parent's addresses: the parent is one of the
/// jails that its addresses are compared with.
fn one_of_several_that_the_parent_has() {
    let (name, _parent) = parent(four(&[address(1), address(2)]));
    let child = kernel_names(&format!("{name}.child"), four(&[address(2)]));
    assert_refused(child, Errno::EADDRINUSE, Some(CLASH));
}

fn the_one_that_the_parent_has() {
    let (name, _parent) = parent(four(&[address(1)]));
    let child = kernel_names(&format!("{name}.child"), four(&[address(1)])).unwrap();
    assert_eq!(child.get(&[("ip4.addr", Kind::Ip4)]).unwrap(), [Value::Ip4(vec![address(1)])]);
}

fn a_child_that_inherits_has_the_parents() {
    let addresses = vec![address(1), address(2)];
    let (name, _parent) = parent(four(&addresses));
    let inherit = Params::new().jailsys("ip4", Jailsys::Inherit);
    let child = kernel_names(&format!("{name}.child"), inherit).unwrap();
    assert_eq!(child.get(&[("ip4.addr", Kind::Ip4)]).unwrap(), [Value::Ip4(addresses)]);
}
