//! Whose turn it is: the hosts of a link are asked one after another, and what all of them said decides.
//!
//! A host that keeps silent has its share of the time and no more, so that no host can keep a newcomer from the others.
//! Spec: INVITATION-9

use weft_crypto::DeviceId;
use weft_invitation::Reason;
use weft_machine::Time;

/// What came of asking one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A person there has to approve.
    Waits,
    /// It refused.
    Refused(Reason),
    /// It gave a wrong answer.
    Misbehaved(String),
    /// It gave none.
    Silent(String),
}

/// What to do when the hosts were asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Ask them again in a moment.
    Again,
    /// A person has to approve.
    Waits,
    /// They refuse.
    Refused(Reason),
    /// Nobody gave a right answer.
    Misbehaved(String),
}

/// The hosts of a link and what they said in this round.
#[derive(Debug)]
pub(crate) struct Turns {
    hosts: Vec<DeviceId>,
    said: Vec<Said>,
    /// When all is over.
    pub(crate) deadline: Time,
    /// When it is the next one's turn.
    pub(crate) until: Time,
    /// What went wrong last, for who has to be told.
    pub(crate) trouble: Option<String>,
}

impl Turns {
    /// The first round. There is a host.
    pub(crate) fn new(hosts: Vec<DeviceId>, now: Time, deadline: Time) -> Self {
        let mut turns = Self { hosts, said: Vec::new(), deadline, until: deadline, trouble: None };
        turns.share(now);
        turns
    }

    /// Whose turn it is; none between two rounds.
    pub(crate) fn host(&self) -> Option<DeviceId> {
        self.hosts.get(self.said.len()).copied()
    }

    /// The host whose turn it is has its share of the time that is left.
    fn share(&mut self, now: Time) {
        let left = u32::try_from(self.hosts.len() - self.said.len()).unwrap_or(1).max(1);
        self.until = now + self.deadline.saturating_since(now) / left;
    }

    /// What the host said whose turn it is. Gives a verdict when it was the last one's.
    pub(crate) fn said(&mut self, now: Time, said: Said) -> Option<Verdict> {
        self.trouble = match &said {
            Said::Silent(trouble) => Some(trouble.clone()),
            Said::Refused(reason) => Some(reason.to_string()),
            Said::Misbehaved(what) => Some(format!("a wrong answer: {what}")),
            Said::Waits => self.trouble.take(),
        };
        self.said.push(said);
        self.share(now);
        (self.said.len() >= self.hosts.len()).then(|| self.verdict())
    }

    /// Begins the next round.
    pub(crate) fn again(&mut self, now: Time) {
        self.said.clear();
        self.share(now);
    }

    /// Whether a host of this round keeps the redemption for a person.
    pub(crate) fn waits(&self) -> bool {
        self.said.contains(&Said::Waits)
    }

    /// What the round comes to. Who waits somewhere waits. What a host says of an invitation that it knows holds, though others are
    /// not there: only that one does not know it may be news that has not reached it.
    fn verdict(&self) -> Verdict {
        if self.waits() {
            return Verdict::Waits;
        }
        let known = [Reason::Denied, Reason::UsedUp, Reason::Expired, Reason::Malformed];
        if let Some(reason) = known.into_iter().find(|reason| self.said.contains(&Said::Refused(*reason))) {
            return Verdict::Refused(reason);
        }
        let open = |said: &Said| matches!(said, Said::Silent(_) | Said::Refused(Reason::Busy));
        if self.said.iter().any(open) {
            return Verdict::Again;
        }
        let wrong = self.said.iter().find_map(|said| match said {
            Said::Misbehaved(what) => Some(what.clone()),
            _ => None,
        });
        wrong.map_or(Verdict::Refused(Reason::NotValid), Verdict::Misbehaved)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Time = Time::from_millis(1_000);

    fn round(said: &[Said]) -> Verdict {
        let hosts = (0..said.len()).map(|number| DeviceId::from_bytes([number as u8; 32])).collect();
        let mut turns = Turns::new(hosts, NOW, NOW + Duration::from_secs(30));
        let (last, before) = said.split_last().unwrap();
        for said in before {
            assert_eq!(turns.said(NOW, said.clone()), None, "nothing is decided before all were asked");
        }
        turns.said(NOW, last.clone()).unwrap()
    }

    fn silent() -> Said {
        Said::Silent("nobody there".into())
    }

    /// Spec: INVITATION-9
    #[test]
    fn what_all_hosts_said_decides() {
        let refused = Said::Refused;
        assert_eq!(round(&[silent(), Said::Waits]), Verdict::Waits);
        assert_eq!(round(&[Said::Waits, refused(Reason::Expired)]), Verdict::Waits);
        assert_eq!(round(&[silent(), refused(Reason::UsedUp)]), Verdict::Refused(Reason::UsedUp));
        assert_eq!(round(&[silent(), refused(Reason::NotValid)]), Verdict::Again, "the other may know it");
        assert_eq!(round(&[refused(Reason::Busy)]), Verdict::Again);
        assert_eq!(round(&[refused(Reason::NotValid)]), Verdict::Refused(Reason::NotValid));
        assert_eq!(round(&[refused(Reason::NotValid), Said::Misbehaved("x".into())]), Verdict::Misbehaved("x".into()));
    }

    /// Spec: INVITATION-9. A host that keeps silent holds nobody up for ever.
    #[test]
    fn each_host_has_its_share_of_the_time() {
        let hosts = (0..3).map(|number| DeviceId::from_bytes([number; 32])).collect();
        let mut turns = Turns::new(hosts, NOW, NOW + Duration::from_secs(30));
        assert_eq!(turns.until, NOW + Duration::from_secs(10));
        let later = NOW + Duration::from_secs(10);
        assert_eq!(turns.said(later, silent()), None);
        assert_eq!(turns.until, later + Duration::from_secs(10));
        assert_eq!(turns.host(), Some(DeviceId::from_bytes([1; 32])));
    }
}
