//! The flags and operands by which the library gets what it has no flags for.

use runj_runtime::Input;

use super::{Create, Flags, Run, Verb};

impl Flags {
    /// The flag or operand of this line that gives it.
    pub(crate) fn of_input(&self, input: Input) -> &'static str {
        match input {
            Input::StateDirectory => "--root",
            Input::Bundle if self.has_bundle_for_operand() => "BUNDLE",
            Input::Bundle => "--bundle",
            Input::ConsoleSocket => "--console-socket",
            Input::PidFile => "--pid-file",
            Input::PreserveFds => "--preserve-fds",
            Input::Force => "--force",
        }
    }

    fn has_bundle_for_operand(&self) -> bool {
        match &self.verb {
            Verb::Config(_) => true,
            Verb::Create(Create { bundle }) | Verb::Run(Run { bundle, .. }) => {
                bundle.positional_bundle.is_some()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn a_bundle_is_called_as_it_is_given() {
        for (line, name) in [
            ("create c", "--bundle"),
            ("create c --bundle b", "--bundle"),
            ("create c b", "BUNDLE"),
            ("run -d c b", "BUNDLE"),
            ("config check b", "BUNDLE"),
            ("config show", "BUNDLE"),
        ] {
            let flags: Flags = runj_flags::parse(line.split(' ').map(OsString::from)).unwrap();
            assert_eq!(flags.of_input(Input::Bundle), name, "{line}");
        }
    }
}
