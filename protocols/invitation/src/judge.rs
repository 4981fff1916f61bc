//! What a host answers, and why.

/// Why a host refuses. Spec: INVITATION-4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The invitation is not known at this host, or the proof failed: a stranger cannot tell which.
    #[error("the host does not know this invitation")]
    NotValid,
    /// The host cannot write just now. Try again.
    #[error("the host is busy")]
    Busy,
    /// The redemption is malformed: the newcomer's fault.
    #[error("the redemption is malformed")]
    Malformed,
    /// The invitation has expired, by the host's clock. Said only to who proved knowledge of its key.
    #[error("the invitation has expired")]
    Expired,
    /// The invitation was redeemed as often as it may be. Said only to who proved knowledge of its key.
    #[error("the invitation has been used up")]
    UsedUp,
    /// A person at the host said no, or this newcomer was removed from the space before. Said only to who proved knowledge of its key.
    #[error("the host does not let you in")]
    Denied,
}

impl Reason {
    const ALL: [Self; 6] = [Self::NotValid, Self::Busy, Self::Malformed, Self::Expired, Self::UsedUp, Self::Denied];

    /// The reason's number in a message.
    pub const fn number(self) -> u32 {
        match self {
            Self::NotValid => 1,
            Self::Busy => 2,
            Self::Malformed => 3,
            Self::Expired => 4,
            Self::UsedUp => 5,
            Self::Denied => 6,
        }
    }

    /// The reason with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.number() == number)
    }
}

/// What a host's resolution says of an invitation that it hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many may still redeem it.
    pub left: u32,
    /// When the host stops accepting it, in milliseconds since 1970.
    pub expires_ms: u64,
}

/// Whether an invitation may be redeemed now, by the host's own clock. `None`: the host does not know it.
///
/// A repeat of a redemption that already stands is not judged again: it gets its bundle. Spec: INVITATION-4.
///
/// # Errors
/// The reason to answer.
pub fn judge(standing: Option<Standing>, now_ms: u64) -> Result<(), Reason> {
    match standing {
        None => Err(Reason::NotValid),
        Some(Standing { left: 0, .. }) => Err(Reason::UsedUp),
        Some(standing) if now_ms >= standing.expires_ms => Err(Reason::Expired),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Reason, Standing, judge};

    #[test]
    fn an_invitation_is_good_until_it_expires_or_is_used_up() {
        let standing = |left| Some(Standing { left, expires_ms: 1000 });
        assert_eq!(judge(standing(1), 999), Ok(()));
        assert_eq!(judge(standing(1), 1000), Err(Reason::Expired));
        assert_eq!(judge(standing(0), 1), Err(Reason::UsedUp));
        assert_eq!(judge(None, 1), Err(Reason::NotValid));
    }

    #[test]
    fn reasons_have_numbers() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_number(reason.number()), Some(reason));
        }
        assert_eq!(Reason::from_number(0), None);
    }
}
