//! What a member may do, and who may make whom what.

/// A member's role. Spec: CREDENTIAL-3.
///
/// Ordered by how much it may: `Keeper < Reader < Writer < Admin < Owner`. A keeper stands aside: it stores ciphertext and
/// reads nothing, so whoever is both a keeper and something else counts as the something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Stores and serves ciphertext.
    Keeper,
    /// Reads.
    Reader,
    /// Reads and writes data.
    Writer,
    /// Also admits and removes writers, readers and keepers.
    Admin,
    /// Grants and takes every role.
    Owner,
}

impl Role {
    /// Every role, from least to most.
    pub const ALL: [Self; 5] = [Self::Keeper, Self::Reader, Self::Writer, Self::Admin, Self::Owner];

    /// The role's number in a message.
    pub const fn number(self) -> u32 {
        match self {
            Self::Reader => 1,
            Self::Writer => 2,
            Self::Admin => 3,
            Self::Owner => 4,
            Self::Keeper => 5,
        }
    }

    /// The role with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number)
    }

    /// Whether who has this role may give somebody `other`. Spec: CREDENTIAL-3.1.
    pub fn may_grant(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Admin => matches!(other, Self::Writer | Self::Reader | Self::Keeper),
            Self::Writer | Self::Reader | Self::Keeper => false,
        }
    }

    /// Whether who has this role may write data.
    pub fn may_write(self) -> bool {
        self >= Self::Writer
    }

    /// Whether who has this role administers the space.
    pub fn may_administer(self) -> bool {
        self >= Self::Admin
    }

    /// The lower-case word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keeper => "keeper",
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// The word names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no role is called {0:?}: use reader, writer, admin, owner or keeper")]
pub struct UnknownRole(pub String);

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        let known = Self::ALL.into_iter().find(|role| role.word() == word);
        known.ok_or_else(|| UnknownRole(word.chars().take(32).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn nobody_but_an_owner_makes_admins() {
        for granter in Role::ALL {
            let may = granter.may_grant(Role::Admin) || granter.may_grant(Role::Owner);
            assert_eq!(may, granter == Role::Owner);
        }
        assert!(Role::Admin.may_grant(Role::Writer) && Role::Admin.may_grant(Role::Keeper));
        assert!(!Role::Writer.may_grant(Role::Reader));
    }

    #[test]
    fn numbers_and_words_go_both_ways() {
        for role in Role::ALL {
            assert_eq!(Role::from_number(role.number()), Some(role));
            assert_eq!(role.word().parse(), Ok(role));
        }
        assert_eq!(Role::from_number(0), None);
        assert_eq!(Role::from_number(6), None);
        assert!("root".parse::<Role>().is_err());
    }

    #[test]
    fn who_only_reads_or_keeps_writes_nothing() {
        let writers: Vec<_> = Role::ALL.into_iter().filter(|r| r.may_write()).collect();
        assert_eq!(writers, [Role::Writer, Role::Admin, Role::Owner]);
    }
}
