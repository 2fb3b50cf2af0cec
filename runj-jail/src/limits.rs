//! The limits of a jail: rctl(4) rules.

use crate::error::Error;
use crate::rule::Rule;
use crate::sys;

/// The rules of the jail of one name.
///
/// The kernel knows jails by their names here, not by their jids. A rule can be added before there
/// is such a jail, stays when the jail is gone, and then is the next one's that has the name: so
/// whoever adds a rule removes it.
///
/// A rule is about the processes of this jail. One that is in a jail below this one has the rules of
/// that one instead (`rctl_proc_ucred_changed`, `kern_rctl.c`), though what it uses counts for both:
/// so whoever may make jails in a jail (`children.max`) can get around the jail's rules.
///
/// On the development host rules are for a jail that lives, and gone with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    jail: String,
}

impl Limits {
    /// Those of the jail with that full name.
    ///
    /// # Errors
    ///
    /// [`Error::Unlimitable`] when the name has a colon or a NUL in it: there is no way then to say
    /// it in a rule.
    pub fn of(jail: &str) -> Result<Self, Error> {
        if jail.is_empty() || jail.contains([':', '\0']) {
            return Err(Error::Unlimitable(jail.to_owned()));
        }
        Ok(Self { jail: jail.to_owned() })
    }

    /// Adds a rule (rctl_add_rule(2)). A rule that denies replaces one that differs from it by
    /// nothing but the amount.
    ///
    /// # Errors
    ///
    /// [`Error::AccountingOff`], or when the kernel refuses; see
    /// [`is_unenforceable`](Error::is_unenforceable).
    #[doc(alias = "rctl_add_rule")]
    pub fn add(&self, rule: &Rule) -> Result<(), Error> {
        sys::add_rule(&self.jail, rule)?;
        tracing::debug!(jail = self.jail, %rule, "added a rule");
        Ok(())
    }

    /// Removes a rule (rctl_remove_rule(2)); `false` when there is no such rule.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    #[doc(alias = "rctl_remove_rule")]
    pub fn remove(&self, rule: &Rule) -> Result<bool, Error> {
        let removed = sys::remove_rule(&self.jail, rule)?;
        tracing::debug!(jail = self.jail, %rule, removed, "removed a rule");
        Ok(removed)
    }

    /// The rules that there are (rctl_get_rules(2)), whoever has added them; none where the kernel
    /// does not account.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    #[doc(alias = "rctl_get_rules")]
    pub fn rules(&self) -> Result<Vec<Rule>, Error> {
        sys::rules(&self.jail)
    }
}
