//! What the derived `Serialize` implementations share.

/// Whether nothing was given: such a property is not printed.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
