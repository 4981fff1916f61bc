//! What went through its check, and can have come from nowhere else.

use std::ops::Deref;

/// Something that carries all that is needed to check it, signatures included.
pub trait Verifiable: Sized {
    /// Why it may be refused.
    type Error;

    /// Checks it. Pure: the same value always has the same verdict.
    ///
    /// # Errors
    /// When it is not what it says it is.
    fn check(&self) -> Result<(), Self::Error>;
}

/// A value that was checked. There is no other way to make one, so a function that takes it need not check again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T: Verifiable> Verified<T> {
    /// Checks the value and keeps it.
    ///
    /// # Errors
    /// What its check says.
    pub fn new(value: T) -> Result<Self, T::Error> {
        value.check()?;
        Ok(Self(value))
    }
}

impl<T> Verified<T> {
    /// For checks of this crate whose evidence is not kept beside the value.
    pub(crate) const fn checked(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
